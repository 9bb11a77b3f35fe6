#include "domain/rule_file.h"

#include <algorithm>
#include <optional>

#include "base/yaml_reader.h"
#include "domain/names.h"

namespace llmd {
namespace {

constexpr size_t kMaxParts = 200;
constexpr size_t kMaxText = 1024;

// Every kind of profile.h, in order of the alphabet.
constexpr std::string_view kKinds[] = {"adapter",
                                       "asr",
                                       "audio-classification",
                                       "audio-generation",
                                       "component",
                                       "controlnet",
                                       "depth",
                                       "diffusion-image",
                                       "diffusion-video",
                                       "embedding",
                                       "fill-mask",
                                       "image-classification",
                                       "image-feature",
                                       "image-to-image",
                                       "llm",
                                       "multimodal-any",
                                       "object-detection",
                                       "question-answering",
                                       "reranker",
                                       "segmentation",
                                       "seq2seq",
                                       "text-classification",
                                       "token-classification",
                                       "tts",
                                       "unsupported",
                                       "video-classification",
                                       "vlm",
                                       "zero-shot-image"};

// A kind, or a fact that says one.
bool IsKind(std::string_view text) {
  return text.starts_with('{') ||
         std::find(std::begin(kKinds), std::end(kKinds), text) != std::end(kKinds);
}

// One file while it is read: where errors point to, and what may be named.
class Reader {
 public:
  Reader(std::string_view source, const std::set<std::string>& known_facts)
      : source_(source), known_facts_(known_facts) {}

  Status Error(const YamlNode& node, std::string_view message) const {
    return YamlError(source_, node, message, "invalid_rule");
  }

  Status OnlyKeys(const YamlNode& node, std::initializer_list<std::string_view> allowed) const {
    if (!node.IsMap()) return Error(node, "a map was expected");
    for (const auto& [key, value] : node.entries) {
      if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
        return YamlKeyError(source_, value, fmt::format("unknown key '{}'", key), "invalid_rule");
      }
    }
    return OkStatus();
  }

  StatusOr<std::string> Text(const YamlNode& node) const {
    if (!node.IsScalar()) return Error(node, "a text was expected");
    if (node.scalar.size() > kMaxText) return Error(node, "longer than 1,024 characters");
    return node.scalar;
  }

  // A text, or a list of texts.
  StatusOr<std::vector<std::string>> Texts(const YamlNode& node) const {
    std::vector<std::string> texts;
    if (!node.IsSequence()) {
      LLMD_ASSIGN_OR_RETURN(std::string text, Text(node));
      texts.push_back(std::move(text));
      return texts;
    }
    for (const YamlNode& item : node.items) {
      LLMD_ASSIGN_OR_RETURN(std::string text, Text(item));
      texts.push_back(std::move(text));
    }
    if (texts.empty() || texts.size() > kMaxParts)
      return Error(node, "1 to 200 texts are expected");
    return texts;
  }

  Status CheckFact(const YamlNode& node, const std::string& name) const {
    if (known_facts_.contains(name)) return OkStatus();
    return Error(node, fmt::format("unknown fact '{}'", name));
  }

  // Every {placeholder} names a fact.
  StatusOr<std::string> Template(const YamlNode& node) const {
    if (node.IsNull()) return std::string();
    LLMD_ASSIGN_OR_RETURN(std::string text, Text(node));
    for (size_t open = text.find('{'); open != std::string::npos; open = text.find('{', open + 1)) {
      const size_t close = text.find('}', open);
      if (close == std::string::npos) return Error(node, "'{' without '}'");
      LLMD_RETURN_IF_ERROR(CheckFact(node, text.substr(open + 1, close - open - 1)));
    }
    return text;
  }

  StatusOr<Predicate> ReadPredicate(const YamlNode& node) const;
  StatusOr<Verdict> ReadVerdict(const YamlNode* set, const YamlNode* reasons) const;
  StatusOr<std::vector<RuleCase>> ReadCases(const YamlNode& node) const;
  StatusOr<std::vector<CapabilityRule>> ReadCapabilities(const YamlNode& node) const;

 private:
  Status ReadTest(const YamlNode& node, Predicate& predicate) const;
  StatusOr<Predicate> ReadParts(const YamlNode& list, Predicate::Kind kind) const;
  StatusOr<Predicate> ReadJson(const YamlNode& node) const;
  StatusOr<Predicate> ReadFact(const YamlNode& node) const;

  std::string_view source_;
  const std::set<std::string>& known_facts_;
};

// At most one of `exists`, `matches`, `is`, `at_least`.
Status Reader::ReadTest(const YamlNode& node, Predicate& predicate) const {
  int tests = 0;
  if (const YamlNode* exists = node.Find("exists")) {
    if (exists->AsBool() != true) return Error(*exists, "'exists' takes true; use 'not' around it");
    ++tests;
  }
  if (const YamlNode* matches = node.Find("matches")) {
    predicate.test = Predicate::Test::kMatches;
    LLMD_ASSIGN_OR_RETURN(predicate.patterns, Texts(*matches));
    ++tests;
  }
  if (const YamlNode* is = node.Find("is")) {
    predicate.test = Predicate::Test::kIs;
    const std::optional<bool> wanted = is->AsBool();
    if (!wanted) return Error(*is, "'is' takes true or false");
    predicate.wanted = *wanted;
    ++tests;
  }
  if (const YamlNode* least = node.Find("at_least")) {
    predicate.test = Predicate::Test::kAtLeast;
    const std::optional<int64_t> number = least->AsInt();
    if (!number) return Error(*least, "'at_least' takes a whole number");
    predicate.least = *number;
    ++tests;
  }
  return tests <= 1 ? OkStatus() : Error(node, "more than one of exists, matches, is, at_least");
}

StatusOr<Predicate> Reader::ReadParts(const YamlNode& list, Predicate::Kind kind) const {
  if (!list.IsSequence() || list.items.empty() || list.items.size() > kMaxParts) {
    return Error(list, "a list of 1 to 200 predicates was expected");
  }
  Predicate predicate{.kind = kind};
  for (const YamlNode& item : list.items) {
    LLMD_ASSIGN_OR_RETURN(Predicate part, ReadPredicate(item));
    predicate.parts.push_back(std::move(part));
  }
  return predicate;
}

StatusOr<Predicate> Reader::ReadJson(const YamlNode& node) const {
  LLMD_RETURN_IF_ERROR(OnlyKeys(node, {"json", "at", "exists", "matches", "is", "at_least"}));
  Predicate predicate{.kind = Predicate::Kind::kJson};
  const YamlNode& name = *node.Find("json");
  LLMD_ASSIGN_OR_RETURN(predicate.name, Text(name));
  if (!ValidateRepoPath(predicate.name).ok()) return Error(name, "not a path inside a repository");
  if (const YamlNode* at = node.Find("at")) {
    LLMD_ASSIGN_OR_RETURN(predicate.pointer, Text(*at));
    if (!predicate.pointer.starts_with('/')) return Error(*at, "a JSON pointer begins with '/'");
  }
  LLMD_RETURN_IF_ERROR(ReadTest(node, predicate));
  return predicate;
}

StatusOr<Predicate> Reader::ReadFact(const YamlNode& node) const {
  LLMD_RETURN_IF_ERROR(OnlyKeys(node, {"fact", "exists", "matches", "is", "at_least"}));
  Predicate predicate{.kind = Predicate::Kind::kFact};
  const YamlNode& name = *node.Find("fact");
  LLMD_ASSIGN_OR_RETURN(predicate.name, Text(name));
  LLMD_RETURN_IF_ERROR(CheckFact(name, predicate.name));
  LLMD_RETURN_IF_ERROR(ReadTest(node, predicate));
  return predicate;
}

StatusOr<Predicate> Reader::ReadPredicate(const YamlNode& node) const {
  if (!node.IsMap() || node.entries.empty()) return Error(node, "a predicate was expected");
  if (node.Find("json") != nullptr) return ReadJson(node);
  if (node.Find("fact") != nullptr) return ReadFact(node);
  LLMD_RETURN_IF_ERROR(OnlyKeys(node, {"file", "tag", "all", "any", "not"}));
  if (node.entries.size() != 1) return Error(node, "one predicate a map; use 'all' or 'any'");
  const auto& [key, value] = node.entries.front();
  if (key == "all") return ReadParts(value, Predicate::Kind::kAll);
  if (key == "any") return ReadParts(value, Predicate::Kind::kAny);
  if (key == "not") {
    LLMD_ASSIGN_OR_RETURN(Predicate part, ReadPredicate(value));
    return Predicate{.kind = Predicate::Kind::kNot, .parts = {std::move(part)}};
  }
  LLMD_ASSIGN_OR_RETURN(std::vector<std::string> patterns, Texts(value));
  return Predicate{.kind = key == "file" ? Predicate::Kind::kFile : Predicate::Kind::kTag,
                   .patterns = std::move(patterns)};
}

StatusOr<Verdict> Reader::ReadVerdict(const YamlNode* set, const YamlNode* reasons) const {
  Verdict verdict;
  if (set != nullptr) {
    if (!set->IsMap()) return Error(*set, "a map of fields was expected");
    for (const auto& [field, value] : set->entries) {
      const auto* end = std::end(kSettableFields);
      if (std::find(std::begin(kSettableFields), end, field) == end) {
        return YamlKeyError(source_, value, fmt::format("unknown field '{}'", field),
                            "invalid_rule");
      }
      LLMD_ASSIGN_OR_RETURN(std::string text, Template(value));
      if (field == "kind" && !IsKind(text)) {
        return Error(value, fmt::format("unknown kind '{}'", text));
      }
      verdict.set.emplace_back(field, std::move(text));
    }
  }
  if (reasons != nullptr) {
    if (!reasons->IsSequence()) return Error(*reasons, "a list of sentences was expected");
    for (const YamlNode& item : reasons->items) {
      LLMD_ASSIGN_OR_RETURN(std::string text, Template(item));
      verdict.reasons.push_back(std::move(text));
    }
  }
  return verdict;
}

StatusOr<std::vector<RuleCase>> Reader::ReadCases(const YamlNode& node) const {
  if (!node.IsSequence() || node.items.size() > kMaxParts) {
    return Error(node, "a list of up to 200 cases was expected");
  }
  std::vector<RuleCase> cases;
  for (const YamlNode& item : node.items) {
    LLMD_RETURN_IF_ERROR(OnlyKeys(item, {"when", "set", "reasons"}));
    const YamlNode* when = item.Find("when");
    if (when == nullptr) return Error(item, "'when' is missing");
    RuleCase one;
    LLMD_ASSIGN_OR_RETURN(one.when, ReadPredicate(*when));
    LLMD_ASSIGN_OR_RETURN(one.verdict, ReadVerdict(item.Find("set"), item.Find("reasons")));
    cases.push_back(std::move(one));
  }
  return cases;
}

StatusOr<std::vector<CapabilityRule>> Reader::ReadCapabilities(const YamlNode& node) const {
  if (!node.IsMap()) return Error(node, "a map of capability to predicate was expected");
  std::vector<CapabilityRule> capabilities;
  for (const auto& [name, when] : node.entries) {
    LLMD_ASSIGN_OR_RETURN(Predicate predicate, ReadPredicate(when));
    capabilities.push_back({.name = name, .when = std::move(predicate)});
  }
  return capabilities;
}

void AddDocuments(const Predicate& predicate, std::set<std::string>& documents) {
  if (predicate.kind == Predicate::Kind::kJson) documents.insert(predicate.name);
  for (const Predicate& part : predicate.parts) AddDocuments(part, documents);
}

bool IsRuleId(std::string_view id) {
  return !id.empty() && id.size() <= 64 &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

}  // namespace

StatusOr<Rule> ParseRule(std::string_view yaml, std::string_view source,
                         const std::set<std::string>& known_facts) {
  LLMD_ASSIGN_OR_RETURN(const YamlNode root, ParseYaml(yaml, source));
  const Reader reader(source, known_facts);
  LLMD_RETURN_IF_ERROR(reader.OnlyKeys(
      root, {"schema", "id", "before", "when", "set", "reasons", "cases", "capabilities"}));
  const YamlNode* schema = root.Find("schema");
  if (schema == nullptr || schema->AsInt() != 1)
    return reader.Error(root, "'schema: 1' is missing");
  Rule rule{.file = std::string(source)};
  const YamlNode* id = root.Find("id");
  if (id == nullptr) return reader.Error(root, "'id' is missing");
  LLMD_ASSIGN_OR_RETURN(rule.id, reader.Text(*id));
  if (!IsRuleId(rule.id)) return reader.Error(*id, "an id is made of a-z, 0-9 and '-'");
  if (const YamlNode* before = root.Find("before")) {
    LLMD_ASSIGN_OR_RETURN(rule.before, reader.Text(*before));
  }
  const YamlNode* when = root.Find("when");
  if (when == nullptr) return reader.Error(root, "'when' is missing");
  LLMD_ASSIGN_OR_RETURN(rule.when, reader.ReadPredicate(*when));
  LLMD_ASSIGN_OR_RETURN(rule.verdict, reader.ReadVerdict(root.Find("set"), root.Find("reasons")));
  if (const YamlNode* cases = root.Find("cases")) {
    LLMD_ASSIGN_OR_RETURN(rule.cases, reader.ReadCases(*cases));
  }
  if (const YamlNode* capabilities = root.Find("capabilities")) {
    LLMD_ASSIGN_OR_RETURN(rule.capabilities, reader.ReadCapabilities(*capabilities));
  }
  return rule;
}

std::vector<std::string> DocumentsOf(const Rule& rule) {
  std::set<std::string> documents;
  AddDocuments(rule.when, documents);
  for (const RuleCase& one : rule.cases) AddDocuments(one.when, documents);
  for (const CapabilityRule& one : rule.capabilities) AddDocuments(one.when, documents);
  return {documents.begin(), documents.end()};
}

}  // namespace llmd
