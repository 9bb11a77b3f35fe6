// EngineSpec and HandlerSpec: what the YAML files in engines/ and handlers/ say, as plain data.
// engines/ and handlers/ load and check them; planner/ uses them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace llmd {

// When a package is wanted, by platform: all non-empty lists must contain the machine's value.
struct PlatformCondition {
  std::vector<std::string> os;            // linux | macos
  std::vector<std::string> gpu;           // cuda | metal | none
  std::vector<std::string> quantization;  // profile.quantization values
  std::vector<std::string> model_types;
};

struct PackageSpec {
  std::string requirement;  // PEP 508, such as "transformers>=5"
  PlatformCondition when;
};

struct HandlerSpec {
  std::string id;
  std::string file;  // where it was read, for messages
  // Whom it is for; an empty list matches everything. The first handler that matches wins.
  std::vector<std::string> detectors;
  std::vector<std::string> model_types;
  std::vector<std::string> architectures;
  std::vector<std::string> repo_patterns;  // globs on the repository id
  std::vector<PackageSpec> packages;       // beside the engine's own
  std::vector<std::string> special;
  std::vector<std::string> scripts;  // extra templates for scripts/
  std::vector<std::string> notes;
};

struct EngineSpec {
  std::string id;
  std::string file;
  int priority = 0;  // higher is preferred
  // What it serves; empty lists match everything.
  std::vector<std::string> detectors;
  std::vector<std::string> kinds;
  std::vector<std::string> loaders;
  std::vector<std::string> quantizations;
  // Where it runs.
  std::vector<std::string> os;
  bool needs_cuda = false;
  bool embeds_pooling = false;
  // How it is installed.
  std::vector<PackageSpec> packages;
  std::vector<std::string> smoke;  // argv after the environment's python, checked after building
  // How it is launched.
  std::string bind;               // inherit | unix | tcp
  std::vector<std::string> argv;  // template; empty when the agent itself serves
  std::map<std::string, std::vector<std::string>> argv_for_kind;  // appended for this kind
  std::map<std::string, std::string> environment;
  std::map<std::string, std::vector<std::string>> routes_for_kind;  // kind -> "POST /v1/..."
  int ready_timeout_seconds = 600;
  // Memory beside weights and KV cache, bytes.
  int64_t overhead_bytes = 0;
  double weights_factor = 1.0;
  int default_context = 4096;
  int default_parallel = 1;
};

}  // namespace llmd
