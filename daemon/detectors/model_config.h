// The configuration that says what a repository holds: config.json, or another file whose content
// describes an architecture. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detectors/tables.h"
#include "domain/facts.h"

namespace llmd::detectors {

struct ModelConfig {
  std::string file;                      // "config.json"; empty: none
  const nlohmann::json* root = nullptr;  // lives as long as the Facts
  // The part that reads and writes text: `root` itself, or text_config and its like.
  const nlohmann::json* text = nullptr;
  std::string text_path;  // "text_config"; empty for the root
  std::string model_type;
  std::string architecture;  // architectures[0]
  std::string class_name;    // diffusers' _class_name
  std::string error;         // why the file that should say it does not
};

ModelConfig FindModelConfig(const Facts& facts);

// Sub-folders that hold a config.json and weights of their own, by name.
std::vector<std::string> ModelFolders(const Facts& facts);

// A JSON document that was read; nullptr when it is not there or broken.
const nlohmann::json* DocumentJson(const Facts& facts, std::string_view path);

// Whether the content describes an architecture (model_type, hidden_size, vocab_size, n_layers...)
// and not the client of an API (api_key, base_url), a training run or a search.
bool DescribesArchitecture(const nlohmann::json& document);
bool DescribesApiClient(const nlohmann::json& document);

// The longest input in tokens; nullopt when nothing says it. `positions` of RoBERTa's kind count
// less the two that padding takes.
std::optional<int64_t> ContextLength(const ModelConfig& config, const Tables& tables);

// The first of the keys that holds a size, in the text part, then at the root.
std::optional<int64_t> SizeOf(const ModelConfig& config,
                              std::initializer_list<std::string_view> keys);

// The number of labels of a classifier: num_labels or id2label.
std::optional<int64_t> LabelCount(const nlohmann::json* root);

}  // namespace llmd::detectors
