// The parts of DeriveFacts that read GGUF headers, pipelines and sentence-transformers' modules.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "detectors/derive_facts.h"
#include "domain/json_path.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

std::string GgufText(const GgufFacts& gguf, const std::string& key) {
  const auto at = gguf.strings.find(key);
  return at == gguf.strings.end() ? std::string() : at->second;
}

bool GgufFlag(const GgufFacts& gguf, const std::string& key) {
  const auto at = gguf.integers.find(key);
  return at != gguf.integers.end() && at->second != 0;
}

bool IsProjector(const GgufFacts& gguf) {
  return GgufText(gguf, "general.type") == "mmproj" ||
         GgufText(gguf, "general.architecture") == "clip";
}

bool IsSound(const GgufFacts& gguf) {
  return gguf.error.empty() && !GgufText(gguf, "general.architecture").empty();
}

bool HasWeightsIn(const Facts& facts, std::string_view folder) {
  return std::any_of(facts.weights.begin(), facts.weights.end(), [&](const WeightSet& set) {
    const bool loadable = set.format == "safetensors" || set.format == "pytorch";
    return set.folder == folder && loadable && set.missing.empty();
  });
}

bool ContainsAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != text.npos; });
}

// What a pipeline makes whose class diffusers does not have: by its name, its parts, the Hub's tag.
std::string GuessPipelineKind(const Facts& facts, std::string_view name, const Tables& tables) {
  if (ContainsAny(name, {"Audio", "Music", "Speech"})) return "audio-generation";
  bool video = ContainsAny(name, {"Video", "I2V", "T2V", "Animate", "Movie"});
  for (const ComponentFacts& part : facts.components) {
    video = video || ContainsAny(part.class_name, {"3D", "Temporal", "SpatioTemporal", "Video"});
  }
  if (video) return "diffusion-video";
  const auto tag = tables.pipeline_tags.find(facts.info.pipeline_tag.value_or(""));
  return tag == tables.pipeline_tags.end() ? "diffusion-image" : tag->second;
}

// Parts that have files of weights; schedulers, tokenizers and processors have none.
bool HasNoWeights(const ComponentFacts& part) {
  return ContainsAny(part.class_name, {"Scheduler", "Tokenizer", "Processor", "FeatureExtractor",
                                       "Guider", "Watermark"}) ||
         ContainsAny(part.name, {"scheduler", "tokenizer", "processor", "feature_extractor"});
}

// A part is code of the repository when a Python file of its library's name lies there.
bool IsRemotePart(const Facts& facts, const ComponentFacts& part, const Tables& tables) {
  if (part.library == "diffusers" || part.library == "transformers" ||
      tables.pipeline_modules.contains(part.library)) {
    return false;
  }
  std::string path = part.library;
  std::replace(path.begin(), path.end(), '.', '/');
  return facts.inventory.Find(path + ".py") != nullptr ||
         facts.inventory.Find(part.name + "/" + path + ".py") != nullptr;
}

std::vector<std::string> MissingParts(const Facts& facts, const ModelConfig& config) {
  std::vector<std::string> missing;
  for (const ComponentFacts& part : facts.components) {
    // Early repositories have the only network at the top; checkers of safety can be left out.
    const bool at_top = config.class_name == part.class_name && HasWeightsIn(facts, "");
    if (at_top || part.name == "safety_checker") continue;
    const bool there = HasNoWeights(part) ? part.has_folder : HasWeightsIn(facts, part.name);
    if (!there) missing.push_back(part.name);
  }
  return missing;
}

// By its header; where that could not be read, by the name that all of them have.
void DeriveProjector(const Facts& facts, FactSheet& sheet) {
  const auto projector = std::find_if(facts.ggufs.begin(), facts.ggufs.end(), IsProjector);
  const bool read = projector != facts.ggufs.end();
  const bool named =
      std::any_of(facts.weights.begin(), facts.weights.end(), [](const WeightSet& set) {
        return set.format == "gguf" && ToLower(set.stem).find("mmproj") != std::string::npos;
      });
  sheet.Set("gguf.projector", read || named);
  if (!read && !named) return;
  const bool hears = read && GgufFlag(*projector, "clip.has_audio_encoder");
  sheet.Set("gguf.hears", hears);
  sheet.Set("gguf.sees", !hears || GgufFlag(*projector, "clip.has_vision_encoder"));
}

}  // namespace

void DeriveGguf(const Facts& facts, FactSheet& sheet) {
  bool any = false;
  for (const WeightSet& set : facts.weights) any = any || set.format == "gguf";
  const bool pipeline = facts.documents.contains("model_index.json");
  const bool checkpoint =
      RootCheckpoint(facts) != nullptr && facts.documents.contains("config.json");
  sheet.Set("gguf.only", any && !pipeline && !checkpoint);
  const auto model =
      std::find_if(facts.ggufs.begin(), facts.ggufs.end(),
                   [](const GgufFacts& gguf) { return IsSound(gguf) && !IsProjector(gguf); });
  DeriveProjector(facts, sheet);
  if (model == facts.ggufs.end()) {
    for (const GgufFacts& gguf : facts.ggufs) {
      sheet.SetText("gguf.type", GgufText(gguf, "general.type"));
      if (!gguf.error.empty()) sheet.SetText("gguf.error", gguf.error);
    }
    return;
  }
  const std::string architecture = GgufText(*model, "general.architecture");
  sheet.SetText("gguf.architecture", architecture);
  sheet.SetText("gguf.type", GgufText(*model, "general.type"));
  sheet.Set("gguf.chat", model->has_chat_template);
  sheet.Set("gguf.tools",
            GgufText(*model, "tokenizer.chat_template").find("tool") != std::string::npos);
  constexpr std::array kPooling = {"none", "mean", "cls", "last", "rank"};
  const auto pooling = model->integers.find(architecture + ".pooling_type");
  if (pooling != model->integers.end() && pooling->second >= 0 &&
      pooling->second < static_cast<int64_t>(kPooling.size())) {
    sheet.SetText("gguf.pooling", kPooling[static_cast<size_t>(pooling->second)]);
  }
}

void DerivePipeline(const Facts& facts, const ModelConfig& config, const Tables& tables,
                    FactSheet& sheet) {
  if (const auto part = tables.parts.find(config.class_name); part != tables.parts.end()) {
    sheet.Set("part.known", true);
    sheet.SetText("part.kind", part->second);
  } else if (!config.class_name.empty()) {
    const bool control = ContainsAny(config.class_name, {"ControlNet", "Controlnet"});
    const bool adapter = ContainsAny(config.class_name, {"Adapter"});
    sheet.SetText("part.kind", control ? "controlnet" : adapter ? "adapter" : "component");
  }
  const json* index = DocumentJson(facts, "model_index.json");
  const json* name = JsonMember(index, "_class_name");
  if (name == nullptr) return;
  // ["module", "Class"]: code of the repository.
  const bool listed = name->is_array() && name->size() == 2 && (*name)[1].is_string();
  if (!name->is_string() && !listed) return;
  const std::string text =
      SanitizeForTerminal(listed ? (*name)[1].get<std::string>() : name->get<std::string>());
  sheet.SetText("pipeline.class", text.substr(0, 200));
  const auto known = tables.pipelines.find(text);
  sheet.Set("pipeline.known", known != tables.pipelines.end());
  if (known != tables.pipelines.end()) {
    sheet.SetText("pipeline.kind", known->second.kind);
    sheet.Set("pipeline.can", known->second.can);
  } else {
    sheet.SetText("pipeline.kind", GuessPipelineKind(facts, text, tables));
  }
  bool remote = listed;
  for (const ComponentFacts& part : facts.components) {
    remote = remote || IsRemotePart(facts, part, tables);
  }
  sheet.Set("pipeline.remote_code", remote);
  const std::vector<std::string> missing = MissingParts(facts, config);
  if (!missing.empty()) sheet.Set("pipeline.missing", missing);
}

void DeriveSentence(const Facts& facts, FactSheet& sheet) {
  const json* modules = DocumentJson(facts, "modules.json");
  if (modules == nullptr || !modules->is_array()) return;
  std::string kind = "embedding";
  bool custom = false;
  for (const json& module : *modules) {
    const std::string type = JsonText(&module, "type");
    if (ContainsAny(type, {"Splade", "sparse_encoder", "MLMTransformer"})) kind = "sparse";
    if (ContainsAny(type, {"pylate", "multi_vector", "colbert"})) kind = "multi-vector";
    if (ContainsAny(type, {"cross_encoder"})) kind = "reranker";
    const bool known = type.starts_with("sentence_transformers.") || type.starts_with("pylate.");
    custom = custom || (!type.empty() && !known);
  }
  const json* settings = DocumentJson(facts, "config_sentence_transformers.json");
  const std::string similarity = ToLower(JsonText(settings, "similarity_fn_name"));
  if (similarity == "maxsim") kind = "multi-vector";
  const std::string model = JsonText(settings, "model_type");
  if (model == "SparseEncoder") kind = "sparse";
  if (model == "CrossEncoder") kind = "reranker";
  if (model == "MultiVectorEncoder") kind = "multi-vector";
  sheet.SetText("sentence.kind", kind);
  sheet.Set("sentence.custom", custom);
}

void DeriveTensors(const Facts& facts, FactSheet& sheet) {
  if (!facts.safetensors) return;
  bool lora = false;
  bool flux = false;
  bool sdxl = false;
  bool sd3 = false;
  bool sd1 = false;
  bool inversion = false;
  bool control = false;
  bool pictures = false;
  bool single = false;
  for (const std::string& name : facts.safetensors->tensor_names) {
    lora = lora || ContainsAny(name, {"lora_down", "lora_up", "lora_A", "lora_B", "lora_unet_",
                                      "lora_te", "lora.down", "lora.up", "hada_w1", "lokr_w1"});
    flux =
        flux || ContainsAny(name, {"double_blocks", "single_blocks", "single_transformer_blocks"});
    sd3 = sd3 || ContainsAny(name, {"joint_blocks"});
    sdxl = sdxl || ContainsAny(name, {"conditioner.embedders.1", "lora_te2_", "label_emb"});
    sd1 = sd1 || ContainsAny(name, {"cond_stage_model."});
    inversion = inversion || name == "emb_params" || name == "clip_l" || name == "clip_g";
    control = control || ContainsAny(name, {"control_model.", "controlnet_cond_embedding",
                                            "controlnet_blocks", "input_hint_block"});
    pictures = pictures || ContainsAny(name, {"ip_adapter"});
    single = single || ContainsAny(name, {"model.diffusion_model."}) || (flux && !lora);
  }
  const bool alone = inversion && facts.safetensors->tensor_names.size() <= 4;
  sheet.SetText("tensors.layout", lora       ? "lora"
                                  : alone    ? "textual-inversion"
                                  : control  ? "controlnet"
                                  : pictures ? "ip-adapter"
                                  : single   ? "single-file"
                                             : "");
  sheet.SetText("tensors.family", flux ? "flux" : sd3 ? "sd3" : sdxl ? "sdxl" : sd1 ? "sd1" : "");
}

}  // namespace llmd::detectors
