#include "detectors/transformers_verdict.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "domain/json_path.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

bool Has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Auto classes that an auto_map may offer, the most telling first.
constexpr std::array kOffered = {"AutoModelForImageTextToText",
                                 "AutoModelForVision2Seq",
                                 "AutoModelForCausalLM",
                                 "AutoModelForSeq2SeqLM",
                                 "AutoModelForSpeechSeq2Seq",
                                 "AutoModelForCTC",
                                 "AutoModelForTextToWaveform",
                                 "AutoModelForSequenceClassification",
                                 "AutoModelForTokenClassification",
                                 "AutoModelForQuestionAnswering",
                                 "AutoModelForImageClassification",
                                 "AutoModelForObjectDetection",
                                 "AutoModelForImageSegmentation",
                                 "AutoModelForSemanticSegmentation",
                                 "AutoModelForDepthEstimation",
                                 "AutoModelForAudioClassification",
                                 "AutoModelForMaskedLM",
                                 "AutoModel"};

class Judge {
 public:
  Judge(const Facts& facts, const ModelConfig& config, const Tables& tables)
      : facts_(facts), config_(config), tables_(tables) {}

  TransformersVerdict Decide() {
    verdict_.code = FindRemoteCode(facts_, config_, tables_);
    const bool known_type = tables_.types.contains(config_.model_type);
    class_ = tables_.FindClass(ClassName(known_type));
    // Code of its own over a known name: what the library says of that name does not count.
    verdict_.native = known_type && class_ != nullptr;
    FromClass();
    FromAutoMap();
    FromForeignType();
    if (verdict_.kind.empty()) verdict_.kind = KindByTag("unsupported");
    Inputs();
    Refine();
    verdict_.one_label = LabelCount(config_.root) == 1;
    FindObstacle(known_type);
    return std::move(verdict_);
  }

 private:
  std::string ClassName(bool known_type) const {
    if (!config_.architecture.empty() || !known_type) return config_.architecture;
    return tables_.types.find(config_.model_type)->second.default_class;
  }

  std::string KindByTag(std::string_view otherwise) const {
    const auto at = tables_.pipeline_tags.find(facts_.info.pipeline_tag.value_or(""));
    return at == tables_.pipeline_tags.end() ? std::string(otherwise) : at->second;
  }

  void FromClass() {
    const ModelClass* said =
        class_ != nullptr ? class_ : tables_.FindBySuffix(config_.architecture);
    if (said == nullptr) return;
    verdict_.kind = said->kind;
    verdict_.loader = said->loader;
  }

  // Code of the repository is loaded through the auto class that its map names.
  void FromAutoMap() {
    if (!verdict_.code.needed) return;
    const std::vector<AutoMapEntry> map = ReadAutoMap(config_.root);
    const auto offers = [&](std::string_view auto_class, bool this_class) {
      return std::any_of(map.begin(), map.end(), [&](const AutoMapEntry& entry) {
        return entry.auto_class == auto_class &&
               (!this_class || entry.class_name == config_.architecture);
      });
    };
    if (!verdict_.loader.empty() && offers(verdict_.loader, false)) return;
    // A class without a telling name that takes pictures: its authors load it as it is.
    if (verdict_.kind.empty() && SeesByConfig() && offers("AutoModel", true)) {
      verdict_.loader = "AutoModel";
      verdict_.kind = offers("AutoModelForCausalLM", true) || WritesText() ? "vlm" : "";
      if (verdict_.kind.empty()) verdict_.kind = KindByTag("embedding");
      return;
    }
    for (const bool this_class : {true, false}) {
      for (const char* auto_class : kOffered) {
        if (!offers(auto_class, this_class)) continue;
        verdict_.loader = auto_class;
        if (class_ == nullptr && tables_.FindBySuffix(config_.architecture) == nullptr) {
          const auto kind = tables_.loaders.find(auto_class);
          verdict_.kind = kind == tables_.loaders.end() ? std::string() : kind->second;
          if (verdict_.kind.empty()) verdict_.kind = KindByTag("embedding");
        }
        return;
      }
    }
  }

  void FromForeignType() {
    const auto foreign = tables_.foreign_types.find(config_.model_type);
    if (foreign == tables_.foreign_types.end()) return;
    verdict_.package = foreign->second.package;
    verdict_.kind = foreign->second.kind;
  }

  bool ConfigHas(std::initializer_list<const char*> keys) const {
    return std::any_of(keys.begin(), keys.end(), [&](const char* key) {
      const json* value = JsonMember(config_.root, key);
      return value != nullptr && !value->is_null();
    });
  }

  // For configurations whose class the library does not have.
  bool SeesByConfig() const {
    const std::string tag = facts_.info.pipeline_tag.value_or("");
    const bool processor = facts_.documents.contains("preprocessor_config.json") ||
                           facts_.documents.contains("processor_config.json");
    return ConfigHas({"vision_config", "visual", "vision_tower", "mm_vision_tower", "img_processor",
                      "vision_cls", "vit_config", "image_token_id", "image_token_index",
                      "visual_tokenizer_config", "vision_lora", "image_embd_layer",
                      "vision_encoder", "vision_model"}) ||
           tag == "image-text-to-text" || tag == "video-text-to-text" ||
           (processor && (tag == "visual-question-answering" || tag == "image-to-text"));
  }
  bool WritesText() const {
    const std::string by_tag = KindByTag("");
    if (!by_tag.empty()) return by_tag == "vlm" || by_tag == "multimodal-any";
    return SizeOf(config_, {"vocab_size"}).has_value();
  }

  void Inputs() {
    if (class_ != nullptr && verdict_.native) {
      verdict_.vision = Has(class_->takes, "image") || Has(class_->takes, "video");
      verdict_.hears = Has(class_->takes, "audio");
      // The class can; this checkpoint has no part for it.
      const json* audio = JsonMember(config_.root, "audio_config");
      if (verdict_.vision && audio != nullptr && audio->is_null()) verdict_.hears = false;
    } else {
      verdict_.vision = SeesByConfig();
      verdict_.hears = ConfigHas(
          {"audio_config", "audio_processor", "speech_config", "whisper_config", "speech_lora"});
    }
    const bool gives_sound = class_ != nullptr && Has(class_->gives, "audio");
    const bool sound_kind = verdict_.kind == "asr" || verdict_.kind == "tts" ||
                            verdict_.kind == "audio-generation" ||
                            verdict_.kind == "audio-classification";
    verdict_.audio = sound_kind || ((verdict_.hears || gives_sound) && !verdict_.vision);
  }

  void Refine() {
    const std::string tag = facts_.info.pipeline_tag.value_or("");
    const bool sentence =
        facts_.info.library_name == "sentence-transformers" ||
        ConfigHas({"sbert_ce_default_activation_function", "sentence_transformers"});
    std::string& kind = verdict_.kind;
    const bool writes = kind == "llm" || kind == "vlm";
    const bool classifier = kind == "text-classification" && LabelCount(config_.root) == 1;
    if (kind == "llm" && !verdict_.native && verdict_.vision) {
      kind = verdict_.hears ? "multimodal-any" : "vlm";
    }
    if ((writes && (tag == "text-ranking" || (sentence && tag == "text-classification"))) ||
        (classifier && (tag == "text-ranking" || sentence || IsTaggedReranker()))) {
      kind = "reranker";
    }
    const bool searches = KindByTag("") == "embedding";
    if (writes && searches) kind = "embedding";
    if (kind == "fill-mask" && (searches || IsTaggedSparse())) kind = "embedding";
    // A base of pictures and text that is meant for search.
    if (kind == "unsupported" && verdict_.vision && KindByTag("") == "embedding")
      kind = "embedding";
  }

  bool IsTaggedReranker() const {
    const auto& tags = facts_.info.tags;
    return std::any_of(tags.begin(), tags.end(), [](const std::string& tag) {
      return tag == "reranker" || tag == "rerank" || tag == "cross-encoder" || tag == "mteb";
    });
  }

  bool IsTaggedSparse() const {
    return Has(facts_.info.tags, "splade") || Has(facts_.info.tags, "sparse-encoder");
  }

  void FindObstacle(bool known_type) {
    if (!verdict_.code.obstacle.empty()) {
      verdict_.obstacle = verdict_.code.obstacle;
    } else if (!verdict_.package.empty()) {
      verdict_.obstacle = fmt::format(
          "model_type '{}' is not known to transformers {}; it needs the package {}, for "
          "which there is no engine",
          config_.model_type, tables_.transformers_version, verdict_.package);
    } else if (config_.model_type.empty() && !verdict_.code.needed) {
      verdict_.obstacle = fmt::format(
          "{} has no model_type, so transformers cannot tell which class to load", config_.file);
    } else if (!known_type && ReadAutoMap(config_.root).empty()) {
      verdict_.obstacle = fmt::format(
          "model_type '{}' is not known to transformers {} and the repository has no code for it "
          "(no auto_map)",
          config_.model_type, tables_.transformers_version);
    }
    if (!verdict_.obstacle.empty()) verdict_.loader.clear();
  }

  const Facts& facts_;
  const ModelConfig& config_;
  const Tables& tables_;
  const ModelClass* class_ = nullptr;
  TransformersVerdict verdict_;
};

}  // namespace

TransformersVerdict JudgeForTransformers(const Facts& facts, const ModelConfig& config,
                                         const Tables& tables) {
  return Judge(facts, config, tables).Decide();
}

}  // namespace llmd::detectors
