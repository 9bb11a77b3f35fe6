// Model folders as an install leaves them, but for weights and environment.
#pragma once

#include <filesystem>
#include <string>

#include "base/file.h"
#include "scaffold/scaffold.h"

namespace llmd::testing {

inline scaffold::ModelInfo MakeModelInfo(const std::string& name, const std::string& folder_name) {
  scaffold::ModelInfo info{
      .name = name,
      .folder_name = folder_name,
      .files = {{.path = "config.json", .size = 7, .sha256 = std::string(64, 'a')},
                {.path = "model.safetensors", .size = 1000, .sha256 = std::string(64, 'b')}},
      .environment_hash = "e",
      .lock_sha256 = std::string(64, 'c'),
      .python_version = "3.12.1",
      .agent_wheel_sha256 = std::string(64, 'd'),
      .memory_bytes = 100,
      .installed_at = WallTime(std::chrono::seconds(1'769'860'800)),
      .llmd_version = "0.1.0"};
  info.profile.repo_id = name;
  info.profile.source = "hub";
  info.profile.kind = "llm";
  info.profile.capabilities = {"chat"};
  info.launch = {.engine = "transformers",
                 .bind = "inherit",
                 .routes = {"POST /v1/chat/completions"},
                 .weights = "model",
                 .loader = "AutoModelForCausalLM",
                 .kind = "llm",
                 .name = name};
  return info;
}

// Writes `models`/<folder_name> for the model `name`.
inline Status WriteModelFolder(const std::filesystem::path& models, const std::string& name,
                               const std::string& folder_name) {
  const std::filesystem::path folder = models / folder_name;
  LLMD_RETURN_IF_ERROR(MakeFolders(folder / "model"));
  LLMD_RETURN_IF_ERROR(MakeFolders(folder / ".venv"));
  return scaffold::WriteModelFolder(
      folder, std::filesystem::path(LLMD_SOURCE_DIR) / "daemon/scaffold/templates",
      MakeModelInfo(name, folder_name), {});
}

}  // namespace llmd::testing
