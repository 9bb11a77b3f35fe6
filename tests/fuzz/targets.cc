#include "fuzz/targets.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "detectors/detective.h"
#include "detectors/fact_names.h"
#include "detectors/probe_gguf.h"
#include "detectors/probe_json.h"
#include "detectors/probe_safetensors.h"
#include "domain/rule_file.h"
#include "domain/rule_matcher.h"
#include "domain/weight_sets.h"

namespace llmd::testing {
namespace {

// What must hold of any answer; the fuzzer reports an abort as a finding.
void Check(bool holds) {
  if (!holds) std::abort();
}

Facts FactsWith(std::string_view config) {
  Facts facts;
  for (const char* path : {"config.json", "model.safetensors", "tokenizer.json"}) {
    facts.inventory.files.push_back({.path = path, .size = 1 << 20});
  }
  facts.weights = FindWeightSets(facts.inventory);
  facts.documents["config.json"] = detectors::ReadJsonDocument("config.json", std::string(config));
  return facts;
}

}  // namespace

void FuzzGgufHeader(std::string_view bytes) {
  const auto size = static_cast<int64_t>(bytes.size()) + (1 << 20);
  GgufFacts facts{.file = "x.gguf"};
  const detectors::GgufRead whole = detectors::ReadGgufHeader(bytes, size, facts);
  Check((whole == detectors::GgufRead::kBroken) == !facts.error.empty());
  Check(facts.parameters >= 0 && facts.tensor_bytes >= 0);
  // What is read of a prefix never contradicts: it is broken, or it asks for more.
  GgufFacts part;
  const detectors::GgufRead half =
      detectors::ReadGgufHeader(bytes.substr(0, bytes.size() / 2), size, part);
  if (half == detectors::GgufRead::kBroken) Check(whole == detectors::GgufRead::kBroken);
}

void FuzzSafetensorsHeader(std::string_view bytes) {
  const auto size = static_cast<int64_t>(bytes.size()) + (1 << 20);
  const StatusOr<int64_t> length = detectors::SafetensorsHeaderLength(bytes.substr(0, 8), size);
  if (!length.ok() || *length > static_cast<int64_t>(bytes.size()) - 8) return;
  SafetensorsFacts facts;
  const Status added = detectors::AddSafetensorsHeader(
      "x.safetensors", bytes.substr(8, static_cast<size_t>(*length)), size, facts);
  Check(facts.parameters >= 0 && facts.weight_bytes >= 0 && facts.weight_bytes <= size * 1'000'000);
  Check(added.ok() == !facts.files.empty());
}

void FuzzRule(std::string_view bytes) {
  const size_t end = std::min(bytes.find('\0'), bytes.size());
  static const std::set<std::string> kFacts = detectors::KnownFactNames();
  const StatusOr<Rule> rule = ParseRule(bytes.substr(0, end), "x.yaml", kFacts);
  if (!rule.ok()) return;
  const Facts facts = FactsWith(bytes.substr(std::min(end + 1, bytes.size())));
  FactSheet sheet(facts);
  sheet.Set("config.model_type", std::string("llama"));
  sheet.Set("weights.formats", std::vector<std::string>{"safetensors", "gguf"});
  sheet.Set("weights.none", false);
  MatchPredicate(rule->when, sheet);
  for (const RuleCase& one : rule->cases) MatchPredicate(one.when, sheet);
  for (const auto& [field, text] : rule->verdict.set) FillIn(text, sheet);
}

void FuzzConfig(std::string_view bytes) {
  static const auto kDetective =
      detectors::Detective::Load(LLMD_SOURCE_DIR "/daemon/detectors/rules", "").value();
  const ModelProfile profile = kDetective->Inspect(FactsWith(bytes));
  Check(!profile.detector.empty() && !profile.evidence.empty());
  Check(profile.context_length.value_or(1) > 0);
}

}  // namespace llmd::testing
