#include "detectors/derive_facts.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "detectors/fact_names.h"
#include "detectors/quantization.h"
#include "domain/glob.h"
#include "domain/json_path.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

std::string DocumentText(const Facts& facts, std::string_view name) {
  const auto at = facts.documents.find(std::string(name));
  return at == facts.documents.end() ? std::string() : at->second.text;
}

// "base_model:adapter:org/name" among the tags, or what the card says.
std::string BaseModelOf(const Facts& facts) {
  std::string base = facts.info.base_model.value_or("");
  for (const std::string& tag : facts.info.tags) {
    if (base.empty() && tag.starts_with("base_model:")) base = tag.substr(tag.find(':') + 1);
  }
  for (const std::string_view relation : {"adapter:", "quantized:", "finetune:", "merge:"}) {
    if (base.starts_with(relation)) base.erase(0, relation.size());
  }
  return SanitizeForTerminal(base.substr(0, 200));
}

void DeriveHub(const Facts& facts, FactSheet& sheet) {
  sheet.SetText("hub.library", facts.info.library_name.value_or(""));
  sheet.SetText("hub.pipeline_tag", facts.info.pipeline_tag.value_or(""));
  sheet.SetText("hub.base_model", BaseModelOf(facts));
}

void DeriveWeights(const Facts& facts, FactSheet& sheet) {
  std::set<std::string> formats;
  for (const WeightSet& set : facts.weights) formats.insert(set.format);
  sheet.Set("weights.formats", std::vector<std::string>(formats.begin(), formats.end()));
  sheet.Set("weights.none", facts.weights.empty());
  const WeightSet* root = RootCheckpoint(facts);
  if (root != nullptr) sheet.SetText("weights.checkpoint", root->format);
}

struct Runtime {
  std::string_view format;
  std::string_view name;
};
constexpr std::array kRuntimes = {Runtime{"openvino", "OpenVINO"},
                                  Runtime{"onnx", "ONNX Runtime (onnx)"},
                                  Runtime{"coreml", "Core ML"},
                                  Runtime{"tensorrt", "TensorRT"},
                                  Runtime{"executorch", "ExecuTorch"},
                                  Runtime{"tflite", "TensorFlow Lite"},
                                  Runtime{"ggml", "ggml, older than GGUF"},
                                  Runtime{"npz", "MLX or NumPy (.npz)"},
                                  Runtime{"flax", "Flax"},
                                  Runtime{"tensorflow", "TensorFlow"},
                                  Runtime{"rkllm", "RKLLM (Rockchip)"},
                                  Runtime{"hailo", "Hailo"},
                                  Runtime{"paddle", "PaddlePaddle"}};

// The runtime that a checkpoint was packed for when it is none that is served from: by its
// quantisation, or because there is no other format.
std::string ForeignRuntime(const Facts& facts, const std::string& quantization) {
  if (quantization == "mlx") return "MLX (Apple silicon)";
  if (quantization == "exl2" || quantization == "exl3") return "ExLlama (" + quantization + ")";
  if (quantization == "hqq") return "hqq, which transformers no longer loads";
  const auto has = [&](std::string_view format) {
    return std::any_of(facts.weights.begin(), facts.weights.end(),
                       [&](const WeightSet& set) { return set.format == format; });
  };
  if (has("safetensors") || has("pytorch")) return {};
  for (const Runtime& runtime : kRuntimes) {
    if (has(runtime.format)) return std::string(runtime.name);
  }
  return {};
}

void DeriveConfig(const ModelConfig& config, const Tables& tables, FactSheet& sheet) {
  sheet.Set("config.known_type", tables.types.contains(config.model_type));
  sheet.SetText("config.file", config.file);
  sheet.SetText("config.error", config.error);
  sheet.SetText("config.model_type", config.model_type);
  sheet.SetText("config.architecture", config.architecture);
  sheet.SetText("config.class", config.class_name);
  const bool names = !config.model_type.empty() || !config.architecture.empty();
  sheet.Set("config.describes",
            config.root != nullptr && (names || DescribesArchitecture(*config.root)));
}

// Numbers that no model has: nothing can be planned with them.
bool HasAbsurdNumbers(const ModelConfig& config) {
  constexpr std::array kKeys = {"hidden_size", "num_hidden_layers", "num_attention_heads",
                                "vocab_size",  "intermediate_size", "max_position_embeddings"};
  constexpr int64_t kLargest = int64_t{1} << 32;
  return std::any_of(kKeys.begin(), kKeys.end(), [&](const char* key) {
    const json* value = JsonMember(config.text, key);
    if (value == nullptr || !value->is_number()) return false;
    const std::optional<int64_t> size = AsSize(*value);
    return !size || *size > kLargest;
  });
}

void DeriveTokenizer(const Facts& facts, FactSheet& sheet) {
  constexpr std::array kNames = {"tokenizer.json",
                                 "tokenizer.model",
                                 "*tokenizer_config.json",
                                 "vocab.json",
                                 "vocab.txt",
                                 "*.spm",
                                 "spiece.model",
                                 "*.bpe.model",
                                 "*.tiktoken",
                                 "tiktoken.model",
                                 "tekken.json",
                                 "tokenization_*.py",
                                 "rwkv_vocab*",
                                 "sentencepiece*.model",
                                 "*.vocab",
                                 "vocabulary.*"};
  const auto is_tokenizer = [&](const FileEntry& file) {
    const std::string_view base = std::string_view(file.path).substr(file.path.rfind('/') + 1);
    return std::any_of(kNames.begin(), kNames.end(),
                       [&](const char* pattern) { return MatchesGlob(pattern, base); });
  };
  const auto& files = facts.inventory.files;
  sheet.Set("tokenizer.there", std::any_of(files.begin(), files.end(), is_tokenizer));
  std::string chat = DocumentText(facts, "chat_template.jinja");
  for (const char* name :
       {"tokenizer_config.json", "chat_template.json", "processor_config.json"}) {
    const json* value = JsonMember(DocumentJson(facts, name), "chat_template");
    if (!chat.empty() || value == nullptr) continue;
    // One template, or a list of named ones.
    chat = value->is_string() ? value->get<std::string>()
                              : value->dump(-1, ' ', false, json::error_handler_t::replace);
  }
  sheet.Set("tokenizer.chat", !chat.empty());
  sheet.Set("tokenizer.tools", chat.find("tool") != std::string::npos);
}

// PEFT's description of an adapter, and timm's of a network.
void DeriveOthers(const Facts& facts, FactSheet& sheet) {
  const json* adapter = DocumentJson(facts, "adapter_config.json");
  const std::string base = JsonText(adapter, "base_model_name_or_path");
  sheet.SetText("adapter.base", SanitizeForTerminal(base.substr(0, 200)));
  sheet.Set("adapter.there", adapter != nullptr && JsonMember(adapter, "peft_type") != nullptr);
  const json* config = DocumentJson(facts, "config.json");
  sheet.SetText("audio.coqui", SanitizeForTerminal(JsonText(config, "model").substr(0, 200)));
  sheet.SetText("timm.architecture",
                SanitizeForTerminal(JsonText(config, "architecture").substr(0, 200)));
}

void DeriveTransformers(const TransformersVerdict& verdict, FactSheet& sheet) {
  sheet.SetText("transformers.kind", verdict.kind);
  sheet.SetText("transformers.loader", verdict.loader);
  sheet.SetText("transformers.obstacle", verdict.obstacle);
  sheet.SetText("transformers.package", verdict.package);
  sheet.Set("transformers.native", verdict.native);
  sheet.Set("transformers.audio", verdict.audio);
  sheet.Set("transformers.vision", verdict.vision);
  sheet.Set("transformers.hears", verdict.hears);
  sheet.Set("transformers.one_label", verdict.one_label);
}

// Folders that hold a model of their own, for repositories that have none at the top.
void DeriveFolders(const Facts& facts, FactSheet& sheet) {
  const std::vector<std::string> folders = ModelFolders(facts);
  sheet.Set("folders.models", folders);
  sheet.Set("folders.several", folders.size() > 1);
}

}  // namespace

const WeightSet* RootCheckpoint(const Facts& facts) {
  for (const WeightSet& set : facts.weights) {
    if (!set.folder.empty()) continue;
    const bool safetensors = set.format == "safetensors" && set.stem == "model";
    const bool pickle = set.format == "pytorch" && set.stem == "pytorch_model";
    if (safetensors || pickle) return &set;
  }
  return nullptr;
}

Derived DeriveFacts(const Facts& facts, const Tables& tables) {
  Derived derived{
      .sheet = FactSheet(facts, &PhrasesOf), .config = FindModelConfig(facts), .transformers = {}};
  FactSheet& sheet = derived.sheet;
  DeriveHub(facts, sheet);
  DeriveWeights(facts, sheet);
  DeriveConfig(derived.config, tables, sheet);
  DeriveTokenizer(facts, sheet);
  DeriveFolders(facts, sheet);
  DeriveOthers(facts, sheet);
  if (derived.config.root != nullptr) {
    derived.transformers = JudgeForTransformers(facts, derived.config, tables);
    DeriveTransformers(derived.transformers, sheet);
    sheet.Set("config.absurd", HasAbsurdNumbers(derived.config));
  }
  const std::string quantization = QuantizationOf(facts, derived.config);
  sheet.SetText("quantization", quantization);
  sheet.SetText("weights.foreign", ForeignRuntime(facts, quantization));
  DeriveGguf(facts, sheet);
  DerivePipeline(facts, derived.config, tables, sheet);
  DeriveTensors(facts, sheet);
  DeriveSentence(facts, sheet);
  return derived;
}

}  // namespace llmd::detectors
