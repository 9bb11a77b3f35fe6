// Plan: what install will do and how the model will be launched. The planner's answer, pure data;
// its launch part is written to model_info.json (see agent/PROTOCOL.md).
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/status.h"
#include "domain/file_inventory.h"
#include "domain/profile.h"

namespace llmd {

// What a user asks for; empty means "let the plan choose".
struct Wish {
  std::string engine;
  std::string variant;
  std::string file;  // the variant that holds this file of the repository
  std::string quantization;
  int64_t context = 0;
  bool force = false;              // overrides a refusal for want of memory
  bool trust_remote_code = false;  // the repository's own Python code may run
};

// How start.sh serves the model. JSON form: LaunchToJson.
struct Launch {
  std::string engine;
  std::string bind;               // inherit | unix | tcp
  std::vector<std::string> argv;  // template with {folder}, {socket}, {name}, {context}, ...
  std::map<std::string, std::string> environment;
  std::vector<std::string> routes;  // "POST /v1/chat/completions"
  int ready_timeout_seconds = 600;
  std::string weights;  // relative to the model's folder: "model" or "model/x.gguf"
  std::string loader;
  std::string kind;
  std::string name;  // the model's name
  int64_t context = 0;
  int parallel = 1;
  int threads = 1;
  std::string quantization;  // done while loading: 4bit | 8bit | fp8; empty: none
  bool remote_code = false;  // the repository's own Python code may run
  bool offload = false;      // the parts of a pipeline go to the GPU one at a time
};

struct Plan {
  std::string name;
  std::string folder_name;
  std::string engine;
  std::string handler;
  std::vector<std::string> packages;    // PEP 508
  std::vector<std::string> smoke_argv;  // after the environment's python
  std::vector<std::string> scripts;     // extra template names
  std::vector<FileEntry> files;         // to fetch
  int64_t download_bytes = 0;
  int64_t environment_bytes = 0;  // estimate
  int64_t memory_bytes = 0;       // admission's figure, estimate
  Launch launch;
};

nlohmann::json LaunchToJson(const Launch& launch);
StatusOr<Launch> LaunchFromJson(const nlohmann::json& json);

}  // namespace llmd
