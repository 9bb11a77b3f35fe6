#include "detectors/looked_for.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include <fmt/core.h>

#include "domain/glob.h"
#include "domain/json_path.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

constexpr std::string_view kWanted =
    "looked for *.gguf, model_index.json, modules.json, adapter_config.json and a config.json that "
    "names a model_type";

bool IsAside(std::string_view path) {
  return path == ".gitattributes" || path == ".gitignore" || path.starts_with("LICENSE");
}

// A config.json that only differs in case, a data set, the files of a Space.
std::string WhatIsThere(const Facts& facts) {
  bool readme = false;
  size_t others = 0;
  for (const FileEntry& file : facts.inventory.files) {
    if (IsAside(file.path)) continue;
    if (file.path == "README.md") {
      readme = true;
    } else {
      ++others;
    }
    if (ToLower(file.path) == "config.json" && file.path != "config.json") {
      return fmt::format("{} is not config.json: no library reads it under that name", file.path);
    }
    if (file.path.ends_with(".parquet") || file.path.ends_with(".arrow")) {
      return fmt::format("there are no weights; {} looks like a data set", file.path);
    }
    if (file.path == "app.py") return "there are no weights; app.py makes it look like a Space";
  }
  if (others == 0) {
    return readme ? "there are no weights: README.md is all there is"
                  : "the repository is empty: no weights";
  }
  return {};
}

std::string AboutConfig(const Derived& derived) {
  const ModelConfig& config = derived.config;
  if (!config.error.empty()) return config.error;
  if (config.root != nullptr) {
    return fmt::format("{} names neither model_type nor architectures", config.file);
  }
  for (const auto& [name, document] : derived.sheet.facts().documents) {
    const bool params = name == "params.json" || MatchesGlob("*_config.json", name);
    if (params && document.json != nullptr &&
        JsonMember(document.json.get(), "n_layers") != nullptr) {
      return fmt::format("{} does not describe an architecture", name);
    }
  }
  return {};
}

}  // namespace

std::string LookedFor(const Derived& derived) {
  const Facts& facts = derived.sheet.facts();
  if (!facts.access_error.empty()) return facts.access_error;
  std::string text = WhatIsThere(facts);
  const std::string& error = derived.config.error;
  // What looks like a model's description is named before what else is there.
  if (!text.empty() && !error.empty()) text = fmt::format("{}; {}", error, text);
  if (text.empty()) text = AboutConfig(derived);
  if (text.empty() && derived.sheet.Is("weights.none")) text = "there are no weights";
  if (text.empty()) text = "no config.json says what the weights are";
  return fmt::format("{} ({})", text, kWanted);
}

}  // namespace llmd::detectors
