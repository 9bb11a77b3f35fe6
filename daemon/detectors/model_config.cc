#include "detectors/model_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "domain/json_path.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

constexpr size_t kMaxNameBytes = 200;

// Sizes of a network; a hyper-parameter search has one or two of them, a model more.
constexpr std::array kSizeKeys = {
    "hidden_size",       "d_model",    "dim",      "n_embd",    "vocab_size",
    "num_hidden_layers", "num_layers", "n_layers", "n_layer",   "num_attention_heads",
    "n_heads",           "n_head",     "head_dim", "n_kv_heads"};

// In lower case and without what joins words.
constexpr std::array kApiKeys = {"apikey",   "baseurl",    "apibase", "openaiapikey",
                                 "endpoint", "apibaseurl", "apiurl",  "azureendpoint"};

// Where the text model's numbers stand inside of a model of several parts.
constexpr std::array kTextParts = {
    "/text_config",           "/llm_config", "/language_config", "/thinker_config/text_config",
    "/language_model_config", "/lm_config",  "/decoder",         "/text_model_config"};

int CountSizes(const json& document) {
  int count = 0;
  for (const char* key : kSizeKeys) {
    if (JsonSize(&document, key)) ++count;
  }
  return count;
}

bool IsOtherDocument(std::string_view name) {
  constexpr std::array kOthers = {"tokenizer_config.json",     "generation_config.json",
                                  "preprocessor_config.json",  "processor_config.json",
                                  "adapter_config.json",       "config_sentence_transformers.json",
                                  "sentence_bert_config.json", "quantize_config.json",
                                  "quant_config.json",         "hf_quant_config.json",
                                  "open_clip_config.json",     "config_setfit.json",
                                  "model_index.json",          "modules.json"};
  return std::find(kOthers.begin(), kOthers.end(), name) != kOthers.end() ||
         name.find('/') != name.npos || ToLower(name) == "config.json";
}

std::string ShortText(const json* object, std::string_view key) {
  std::string text = SanitizeForTerminal(JsonText(object, key));
  if (text.size() > kMaxNameBytes) text.clear();
  return text;
}

void ReadNames(ModelConfig& config) {
  config.model_type = ShortText(config.root, "model_type");
  config.class_name = ShortText(config.root, "_class_name");
  const json* list = JsonMember(config.root, "architectures");
  if (list != nullptr && list->is_array() && !list->empty() && list->front().is_string()) {
    config.architecture = SanitizeForTerminal(list->front().get<std::string>());
    if (config.architecture.size() > kMaxNameBytes) config.architecture.clear();
  }
}

void FindTextPart(ModelConfig& config) {
  config.text = config.root;
  const bool flat =
      JsonSize(config.root, "hidden_size") && JsonSize(config.root, "num_hidden_layers");
  if (flat) return;
  for (const char* pointer : kTextParts) {
    const json* part = JsonAt(*config.root, pointer);
    if (part == nullptr || !part->is_object() || part->empty()) continue;
    config.text = part;
    config.text_path = std::string(pointer + 1);
    std::replace(config.text_path.begin(), config.text_path.end(), '/', '.');
    return;
  }
}

std::string ApiClientKey(const json& document) {
  if (!document.is_object()) return {};
  for (const auto& item : document.items()) {
    std::string key = ToLower(item.key());
    std::erase_if(key, [](char c) { return c == '_' || c == '-'; });
    if (std::find(kApiKeys.begin(), kApiKeys.end(), key) != kApiKeys.end()) {
      return SanitizeForTerminal(item.key());
    }
  }
  return {};
}

std::string ApiClientError(std::string_view file, const json& document) {
  return fmt::format("{} describes the client of an API, by its key {}, not a model", file,
                     ApiClientKey(document));
}

void Accept(const std::string& file, const json& document, ModelConfig& config) {
  config.file = file;
  config.root = &document;
  ReadNames(config);
  FindTextPart(config);
}

}  // namespace

bool DescribesApiClient(const json& document) { return !ApiClientKey(document).empty(); }

bool DescribesArchitecture(const json& document) {
  if (!document.is_object() || DescribesApiClient(document)) return false;
  const int sizes = CountSizes(document);
  return sizes >= 3 || (sizes >= 1 && !JsonText(&document, "model_type").empty());
}

std::vector<std::string> ModelFolders(const Facts& facts) {
  std::vector<std::string> folders;
  constexpr std::string_view kFile = "/config.json";
  for (const auto& [name, document] : facts.documents) {
    if (!name.ends_with(kFile) || document.json == nullptr) continue;
    const std::string folder = name.substr(0, name.size() - kFile.size());
    const bool weights = std::any_of(facts.weights.begin(), facts.weights.end(),
                                     [&](const WeightSet& set) { return set.folder == folder; });
    const bool describes = DescribesArchitecture(*document.json) ||
                           JsonMember(document.json.get(), "architectures") != nullptr;
    if (weights && describes) folders.push_back(folder);
  }
  return folders;
}

ModelConfig FindModelConfig(const Facts& facts) {
  ModelConfig config;
  const auto usual = facts.documents.find("config.json");
  if (usual != facts.documents.end()) {
    const json* document = usual->second.json.get();
    if (document != nullptr && facts.weights.empty() && DescribesApiClient(*document)) {
      config.error = ApiClientError("config.json", *document);
    } else if (document != nullptr && document->is_object()) {
      Accept(usual->first, *usual->second.json, config);
    } else {
      config.error =
          usual->second.error.empty() ? "config.json is not an object" : usual->second.error;
    }
    return config;
  }
  // sentence-transformers' older layout: the network lies in the first module's folder.
  const auto modules = facts.documents.find("modules.json");
  if (modules != facts.documents.end() && modules->second.json != nullptr) {
    const json* first = JsonAt(*modules->second.json, "/0");
    const auto inner = facts.documents.find(JsonText(first, "path") + "/config.json");
    if (inner != facts.documents.end() && inner->second.json != nullptr) {
      Accept(inner->first, *inner->second.json, config);
      return config;
    }
  }
  for (const auto& [name, document] : facts.documents) {
    if (document.json == nullptr || IsOtherDocument(name)) continue;
    if (DescribesApiClient(*document.json)) {
      config.error = ApiClientError(name, *document.json);
    } else if (DescribesArchitecture(*document.json)) {
      Accept(name, *document.json, config);
      config.error.clear();
      return config;
    }
  }
  const std::vector<std::string> folders = ModelFolders(facts);
  if (folders.size() == 1 && !facts.documents.contains("model_index.json")) {
    const std::string nested = folders.front() + "/config.json";
    Accept(nested, *DocumentJson(facts, nested), config);
  }
  return config;
}

std::optional<int64_t> SizeOf(const ModelConfig& config,
                              std::initializer_list<std::string_view> keys) {
  for (const json* part : {config.text, config.root}) {
    for (const std::string_view key : keys) {
      if (const std::optional<int64_t> size = JsonSize(part, key); size && *size > 0) return size;
    }
  }
  return std::nullopt;
}

std::optional<int64_t> ContextLength(const ModelConfig& config, const Tables& tables) {
  if (config.root == nullptr) return std::nullopt;
  const auto type = tables.types.find(config.model_type);
  const std::string text_type = ShortText(config.text, "model_type");
  const auto inner = text_type.empty() ? type : tables.types.find(text_type);
  std::optional<int64_t> context =
      SizeOf(config, {"max_position_embeddings", "n_positions", "seq_length", "max_seq_len",
                      "max_sequence_length", "max_context_length", "n_ctx", "context_length",
                      "max_seq_length", "model_max_length"});
  if (context) {
    if (type != tables.types.end() && *context > type->second.position_offset) {
      *context -= type->second.position_offset;
    }
    return context;
  }
  // A number that is there and makes no sense is not replaced by a default.
  for (const json* part : {config.text, config.root}) {
    if (JsonMember(part, "max_position_embeddings") != nullptr) return std::nullopt;
  }
  if (inner != tables.types.end() && inner->second.context > 0) return inner->second.context;
  return std::nullopt;
}

const json* DocumentJson(const Facts& facts, std::string_view path) {
  const auto at = facts.documents.find(std::string(path));
  return at == facts.documents.end() ? nullptr : at->second.json.get();
}

std::optional<int64_t> LabelCount(const json* root) {
  if (const std::optional<int64_t> count = JsonSize(root, "num_labels")) return count;
  const json* labels = JsonMember(root, "id2label");
  if (labels == nullptr || !labels->is_object()) return std::nullopt;
  return static_cast<int64_t>(labels->size());
}

}  // namespace llmd::detectors
