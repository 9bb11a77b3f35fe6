// Whether loading needs Python code out of the repository, and whether that code can be had. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "detectors/model_config.h"
#include "detectors/tables.h"
#include "domain/facts.h"

namespace llmd::detectors {

// One entry of an auto_map: "modeling_x.Model", "org/other--modeling_x.Model".
struct AutoMapEntry {
  std::string auto_class;  // "AutoModelForCausalLM"
  std::string repository;  // empty: this one
  std::string module;      // "modeling_x"
  std::string class_name;
  bool sound = false;  // a module name that stays inside of its repository
};

// The auto_map of a document; entries of lists are all there. At most 64.
std::vector<AutoMapEntry> ReadAutoMap(const nlohmann::json* document);

struct RemoteCode {
  bool needed = false;
  std::vector<std::string> files;  // "modeling_x.py", "org/other: modeling_x.py"
  std::string obstacle;            // code that is needed and cannot be had or must not be run
};

// For what transformers loads. The library's own classes are preferred where the configuration
// names them; class names that differ mean weights of another make under a known model_type.
RemoteCode FindRemoteCode(const Facts& facts, const ModelConfig& config, const Tables& tables);

}  // namespace llmd::detectors
