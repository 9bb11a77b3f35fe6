// EngineSpec and HandlerSpec: what the YAML files in engines/ and handlers/ say, as plain data.
// spec_reader.h has what both readers share; planner/ uses the result.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace llmd {

// When something holds: each list that is not empty must have a pattern ('*' and '?') that matches
// the model's or the machine's value. A closed set of questions, on purpose.
struct SpecCondition {
  // The model.
  std::vector<std::string> detectors;
  std::vector<std::string> kinds;
  std::vector<std::string> architectures;
  std::vector<std::string> model_types;
  std::vector<std::string> loaders;
  std::vector<std::string> quantizations;
  std::vector<std::string> capabilities;
  std::vector<std::string> components;  // class names of a pipeline's parts
  std::vector<std::string> repos;       // the repository's id
  std::vector<std::string> files;       // paths in the repository; '*' does not cross '/'
  std::vector<std::string> no_files;    // holds when none is there
  std::vector<std::string> gguf_keys;   // keys of the header of a GGUF
  std::vector<std::string> no_gguf_keys;
  std::optional<bool> remote_code;
  // What was chosen.
  std::vector<std::string> engines;
  // The machine.
  std::vector<std::string> os;    // linux | macos
  std::vector<std::string> gpu;   // cuda | metal | none
  double compute_capability = 0;  // of every CUDA GPU, at least
};

// Holds when one of them does; empty: always.
using SpecConditions = std::vector<SpecCondition>;

struct PackageSpec {
  std::string requirement;  // PEP 508, such as "transformers>=5"
  SpecConditions when;
};

// A dependency that the family knows besides what always gets installed.
struct SpecialSpec {
  std::string name;         // as shown: "mamba-ssm"
  std::string requirement;  // as installed, PEP 508
  SpecConditions when;
  // Where it is installed with the rest; never when `installed` is false.
  bool installed = false;
  SpecConditions install_when;
  std::string note;  // what to say where it is not installed; may be empty
};

struct ScriptSpec {
  std::string name;  // of a template of scaffold/
  SpecConditions when;
};

struct NoteSpec {
  std::string text;
  SpecConditions when;
};

struct HandlerSpec {
  std::string id;
  std::string file;  // where it was read, for messages
  bool user = false;
  // An addition applies beside whichever handler was chosen; of the others the first whose `match`
  // holds is chosen.
  bool addition = false;
  SpecConditions match;
  std::vector<PackageSpec> packages;  // beside the engine's own
  std::vector<SpecialSpec> special;
  std::vector<ScriptSpec> scripts;  // extra templates for scripts/
  std::vector<NoteSpec> notes;
  std::vector<NoteSpec> refusals;  // what to say where no engine serves it
};

// One kind of model that an engine serves.
struct ServedKind {
  std::string kind;
  SpecConditions when;                 // of these models only, mostly by loader
  std::vector<std::string> routes;     // "POST /v1/chat/completions"
  std::vector<std::string> arguments;  // appended to argv
  bool cache = false;                  // keeps keys and values while it works on a request
  bool widens_half = false;            // computes in float32 what is float16, on the CPU
  // Memory that work on one request takes beside weights and cache, where the architecture does not
  // tell. Bytes.
  int64_t activation_bytes = 0;
};

// One form of weights that an engine reads.
struct ServedQuantization {
  std::string name;     // profile.quantization
  SpecConditions when;  // elsewhere: loaded as 16 bit numbers when `unpacked`, else `refusal`
  bool unpacked = false;
  std::string refusal;
};

// How an engine can make weights smaller while it loads them, by the name that users give.
struct LoadQuantization {
  std::string name;  // 4bit | 8bit | fp8
  SpecConditions when;
  std::string refusal;
  double bytes_per_parameter = 0;
  std::vector<PackageSpec> packages;
};

struct EngineSpec {
  std::string id;
  std::string file;  // where it was read, for messages
  bool user = false;
  int priority = 0;  // higher is preferred
  // Not empty: known, with the reason why llmd does not run it. Shown where it would fit.
  std::string not_driven;
  // What it serves.
  std::vector<std::string> formats;  // safetensors | pytorch | gguf | ...; empty: any
  std::vector<ServedKind> serves;
  std::vector<ServedQuantization> quantizations;  // what is not listed is not served
  std::vector<LoadQuantization> load_quantizations;
  bool remote_code = false;  // can run a repository's own code
  // Where it runs; empty lists: anywhere.
  std::vector<std::string> os;
  std::vector<std::string> gpu;             // needs one of these: cuda | metal
  std::vector<std::string> weights_on_gpu;  // puts weights there when the machine has it
  // How it is installed.
  std::vector<PackageSpec> packages;
  std::vector<std::string> smoke;  // argv after the environment's python, checked after building
  int64_t environment_bytes = 0;   // on disk
  // How it is launched.
  std::string bind = "inherit";   // inherit | unix | tcp
  std::vector<std::string> argv;  // template; empty when the agent itself serves
  std::map<std::string, std::string> environment;
  int ready_timeout_seconds = 600;
  // Memory beside weights and KV cache, bytes.
  int64_t process_bytes = 0;      // the empty process
  double weights_factor = 1.0;    // weights in memory per byte of weights on disk
  int cpu_element_bytes = 0;      // of a weight in main memory; 0: as on disk
  int gpu_element_bytes = 0;      // of a weight on a GPU; 0: as on disk
  int batch = 1;                  // inputs of one request that are computed at once
  int batch_tokens = 0;           // tokens computed at once, at most; 0: as many as there are
  bool logits_for_batch = false;  // keeps logits of all of these, not of the last one only
  bool offload = false;           // can move the parts of a pipeline to the GPU one at a time
  int default_context = 4096;
  int default_parallel = 1;
};

}  // namespace llmd
