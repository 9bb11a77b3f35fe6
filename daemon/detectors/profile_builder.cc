#include "detectors/profile_builder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "detectors/looked_for.h"
#include "detectors/probe_safetensors.h"
#include "detectors/quantization.h"
#include "detectors/weights_choice.h"
#include "domain/json_path.h"
#include "domain/rule_matcher.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

struct DtypeName {
  std::string_view header;
  std::string_view name;
};
constexpr std::array kFloats = {
    DtypeName{"BF16", "bfloat16"},         DtypeName{"F16", "float16"},
    DtypeName{"F32", "float32"},           DtypeName{"F64", "float64"},
    DtypeName{"F8_E4M3", "float8_e4m3fn"}, DtypeName{"F8_E5M2", "float8_e5m2"}};

// Kinds whose input is counted in tokens.
bool HasContext(const std::string& kind) {
  constexpr std::array kKinds = {"llm",
                                 "vlm",
                                 "embedding",
                                 "reranker",
                                 "seq2seq",
                                 "text-classification",
                                 "fill-mask",
                                 "token-classification",
                                 "multimodal-any",
                                 "question-answering"};
  return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
}

bool NeedsTokenizer(const std::string& kind) {
  return HasContext(kind) && kind != "vlm" && kind != "multimodal-any";
}

class Builder {
 public:
  Builder(const Rule& rule, const Derived& derived, const Tables& tables)
      : rule_(rule),
        derived_(derived),
        sheet_(derived.sheet),
        facts_(derived.sheet.facts()),
        tables_(tables) {}

  ModelProfile Build() {
    FromRepository();
    profile_.detector = rule_.id;
    profile_.quantization = sheet_.Text("quantization");
    Apply(rule_.verdict);
    for (const RuleCase& one : rule_.cases) {
      if (!MatchPredicate(one.when, sheet_).matched) continue;
      Apply(one.verdict);
      break;
    }
    sheet_.Set("kind", profile_.kind);
    for (const CapabilityRule& one : rule_.capabilities) {
      if (MatchPredicate(one.when, sheet_).matched) profile_.capabilities.push_back(one.name);
    }
    choice_ = ChooseWeights(layout_, facts_);
    Weights();
    if (!context_set_ && HasContext(profile_.kind)) profile_.context_length = Context();
    RemoteCodeNeeded();
    Parts();
    Reasons();
    return std::move(profile_);
  }

 private:
  void FromRepository() {
    profile_.repo_id = facts_.info.repo_id;
    profile_.revision = facts_.info.revision;
    profile_.source = facts_.info.source;
    profile_.license = facts_.info.license;
    profile_.gated = facts_.info.gated;
  }

  void Apply(const Verdict& verdict) {
    for (const auto& [field, text] : verdict.set) Set(field, FillIn(text, sheet_));
    for (const std::string& reason : verdict.reasons) {
      profile_.reasons.push_back(FillIn(reason, sheet_));
    }
  }

  void Set(const std::string& field, const std::string& value) {
    const auto optional = value.empty() ? std::optional<std::string>() : std::optional(value);
    if (field == "kind") profile_.kind = value.empty() ? "unsupported" : value;
    if (field == "architecture") profile_.architecture = optional;
    if (field == "model_type") profile_.model_type = optional;
    if (field == "loader") profile_.loader = optional;
    if (field == "quantization") profile_.quantization = value.empty() ? "none" : value;
    if (field == "base_model") profile_.base_model = optional;
    if (field == "layout") layout_ = value;
    if (field == "context_length") {
      context_set_ = true;
      int64_t number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error == std::errc() && number > 0) profile_.context_length = number;
    }
  }

  // The header that speaks for the whole: the checkpoint's, or the largest part's.
  const SafetensorsFacts* MainHeader() const {
    if (layout_ == "pipeline") {
      for (const char* name : {"transformer", "unet", "prior", "decoder"}) {
        const auto part = facts_.part_headers.find(name);
        if (part != facts_.part_headers.end()) return &part->second;
      }
      return nullptr;
    }
    const bool root = !choice_.sets.empty() && choice_.sets.front()->folder.empty() &&
                      choice_.sets.front()->format == "safetensors";
    if (root && facts_.safetensors) return &*facts_.safetensors;
    if (choice_.sets.empty()) return nullptr;
    const auto part = facts_.part_headers.find(choice_.sets.front()->folder);
    return part == facts_.part_headers.end() ? nullptr : &part->second;
  }

  void Weights() {
    profile_.weight_files = choice_.Files();
    profile_.memory.weights_bytes = choice_.Bytes();
    profile_.variants = FindVariants(choice_, facts_);
    if (layout_ == "gguf") {
      if (!facts_.ggufs.empty() && facts_.ggufs.front().whole &&
          facts_.ggufs.front().parameters > 0) {
        profile_.parameters = facts_.ggufs.front().parameters;
      }
      if (!choice_.sets.empty() && !choice_.sets.front()->variant.empty()) {
        profile_.dtype = choice_.sets.front()->variant;
      }
      return;
    }
    profile_.dtype = Dtype();
    profile_.parameters = Parameters();
  }

  std::optional<std::string> Dtype() const {
    const SafetensorsFacts* header = MainHeader();
    std::string_view most;
    int64_t count = 0;
    for (const DtypeName& name : kFloats) {
      if (header == nullptr) break;
      const auto at = header->parameters_by_dtype.find(std::string(name.header));
      if (at != header->parameters_by_dtype.end() && at->second > count) {
        most = name.name;
        count = at->second;
      }
    }
    if (!most.empty()) return std::string(most);
    for (const json* part : {derived_.config.root, derived_.config.text}) {
      for (const char* key : {"dtype", "torch_dtype"}) {
        if (std::string said = JsonText(part, key); !said.empty() && said.size() < 40) return said;
      }
    }
    return std::nullopt;
  }

  std::optional<int64_t> Parameters() const {
    const SafetensorsFacts* header = MainHeader();
    if (layout_ == "pipeline") return PipelineParameters();
    if (header == nullptr || !header->error.empty() || header->parameters == 0) return std::nullopt;
    if (!header->whole) return EstimateFromShards(*header);
    int64_t sum = 0;
    for (const auto& [dtype, count] : header->parameters_by_dtype) {
      sum += count * PackingOf(profile_.quantization, dtype, derived_.config);
    }
    return sum;
  }

  // Shards of one checkpoint hold the same types: the bytes of all by the bytes an element of some.
  std::optional<int64_t> EstimateFromShards(const SafetensorsFacts& header) const {
    const json* index = nullptr;
    const auto document = facts_.documents.find(choice_.sets.front()->index);
    if (document != facts_.documents.end()) index = document->second.json.get();
    const json* metadata = JsonMember(index, "metadata");
    if (const auto said = JsonSize(metadata, "total_parameters"); said && *said > 0) return said;
    if (header.weight_bytes == 0) return std::nullopt;
    const double share =
        static_cast<double>(choice_.Bytes()) / static_cast<double>(header.weight_bytes);
    return static_cast<int64_t>(static_cast<double>(header.parameters) * share);
  }

  std::optional<int64_t> PipelineParameters() const {
    int64_t sum = 0;
    for (const WeightSet* set : choice_.sets) {
      const auto header = facts_.part_headers.find(set->folder);
      if (header == facts_.part_headers.end() || header->second.weight_bytes == 0)
        return std::nullopt;
      const double share =
          static_cast<double>(set->bytes) / static_cast<double>(header->second.weight_bytes);
      sum += set->files.size() == 1
                 ? header->second.parameters
                 : static_cast<int64_t>(static_cast<double>(header->second.parameters) * share);
    }
    return sum == 0 ? std::nullopt : std::optional(sum);
  }

  std::optional<int64_t> Context() const {
    if (layout_ == "gguf") return GgufContext();
    // What sentence-transformers cuts inputs to goes before what the network could take.
    for (const char* name :
         {"sentence_bert_config.json", "0_Transformer/sentence_bert_config.json"}) {
      const auto document = facts_.documents.find(name);
      if (document == facts_.documents.end()) continue;
      const auto length = JsonSize(document->second.json.get(), "max_seq_length");
      if (length && *length > 0) return length;
    }
    return ContextLength(derived_.config, tables_);
  }

  std::optional<int64_t> GgufContext() const {
    if (facts_.ggufs.empty()) return std::nullopt;
    const GgufFacts& gguf = facts_.ggufs.front();
    const auto at = gguf.integers.find(sheet_.Text("gguf.architecture") + ".context_length");
    const bool said = at != gguf.integers.end() && at->second > 0 && at->second <= kMaxJsonSize;
    return said ? std::optional(at->second) : std::nullopt;
  }

  void RemoteCodeNeeded() {
    const bool transformers = layout_ == "checkpoint" && rule_.id != "timm";
    profile_.requirements.remote_code =
        layout_ == "pipeline"
            ? sheet_.Is("pipeline.remote_code")
            : transformers && (derived_.transformers.code.needed || sheet_.Is("sentence.custom"));
  }

  void Parts() {
    for (const ComponentFacts& part : facts_.components) {
      if (layout_ == "pipeline") {
        profile_.components.push_back({.name = part.name, .class_name = part.class_name});
      }
    }
  }

  void Reasons() {
    if (!facts_.refusal.empty()) profile_.reasons.push_back(facts_.refusal);
    for (const std::string& obstacle : choice_.obstacles) profile_.reasons.push_back(obstacle);
    const bool text = layout_ == "checkpoint" && NeedsTokenizer(profile_.kind);
    if (text && profile_.reasons.empty() && !sheet_.Is("tokenizer.there")) {
      profile_.reasons.push_back(
          "there is no tokenizer file, so text cannot be given to the model");
    }
    if (profile_.detector == "none" && profile_.reasons.empty()) {
      profile_.reasons.push_back(LookedFor(derived_));
    }
  }

  const Rule& rule_;
  const Derived& derived_;
  FactSheet sheet_;
  const Facts& facts_;
  const Tables& tables_;
  std::string layout_ = "none";
  bool context_set_ = false;
  WeightsChoice choice_;
  ModelProfile profile_;
};

}  // namespace

ModelProfile BuildProfile(const Rule& rule, const Derived& derived, const Tables& tables) {
  return Builder(rule, derived, tables).Build();
}

}  // namespace llmd::detectors
