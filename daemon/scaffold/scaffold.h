// Scaffold: writes the model folder around model/ and .venv (see docs/architecture.md): start.sh,
// train.sh, scripts/, config.yaml, model_info.json. Scripts are copied templates and contain no
// text that comes from a model.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "domain/plan.h"
#include "domain/profile.h"

namespace llmd::scaffold {

// What model_info.json keeps beside profile and launch.
struct ModelInfo {
  ModelProfile profile;
  Launch launch;
  std::string name;
  std::string folder_name;
  std::vector<FileEntry> files;  // manifest of model/, sha256 always set
  std::string environment_hash;
  std::string lock_sha256;
  std::string python_version;
  std::string agent_wheel_sha256;
  int64_t memory_bytes = 0;
  WallTime installed_at{};
  std::string llmd_version;
};

// Writes everything into `folder` (model/ and .venv are there already); model_info.json last, so
// that a folder that has one is whole. config.yaml is left alone when it exists.
Status WriteModelFolder(const std::filesystem::path& folder,
                        const std::filesystem::path& templates_dir, const ModelInfo& info,
                        const std::vector<std::string>& extra_scripts);

StatusOr<ModelInfo> ReadModelInfo(const std::filesystem::path& folder);

}  // namespace llmd::scaffold
