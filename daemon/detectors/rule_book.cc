#include "detectors/rule_book.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/yaml_reader.h"
#include "detectors/fact_names.h"
#include "domain/rule_file.h"
#include "domain/spec_reader.h"

namespace llmd::detectors {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxRuleBytes = 256 << 10;

StatusOr<Rule> ReadRule(const fs::path& path, const std::set<std::string>& facts) {
  LLMD_ASSIGN_OR_RETURN(const std::string yaml, ReadFile(path, kMaxRuleBytes));
  return ParseRule(yaml, path.string(), facts);
}

StatusOr<std::vector<std::string>> ReadOrder(const fs::path& path) {
  LLMD_ASSIGN_OR_RETURN(const YamlNode root, ReadYamlFile(path));
  const YamlNode* order = root.Find("order");
  if (order == nullptr || !order->IsSequence() || order->items.empty()) {
    return YamlError(path.string(), root, "'order' must list the rules", "invalid_rule");
  }
  std::vector<std::string> ids;
  for (const YamlNode& item : order->items) ids.push_back(item.scalar);
  return ids;
}

auto FindRule(RuleBook& book, std::string_view id) {
  return std::find_if(book.rules.begin(), book.rules.end(),
                      [&](const Rule& rule) { return rule.id == id; });
}

Status AddUserRule(const UserSpec& spec, const std::set<std::string>& facts, RuleBook& book) {
  const fs::path& path = spec.path;
  LLMD_ASSIGN_OR_RETURN(Rule rule, ParseRule(spec.text, path.string(), facts));
  rule.user = true;
  if (FindRule(book, rule.id) != book.rules.end()) {
    return InvalidArgument("{}:1:1: there is a rule '{}' already", path.string(), rule.id);
  }
  const auto at = FindRule(book, rule.before.empty() ? "transformers" : rule.before);
  if (at == book.rules.end()) {
    return InvalidArgument("{}:1:1: before: there is no rule '{}'", path.string(), rule.before);
  }
  book.rules.insert(at, std::move(rule));
  return OkStatus();
}

}  // namespace

StatusOr<RuleBook> LoadRuleBook(const fs::path& rules_dir, const fs::path& user_dir) {
  const std::set<std::string> facts = KnownFactNames();
  RuleBook book;
  LLMD_ASSIGN_OR_RETURN(const std::vector<std::string> order, ReadOrder(rules_dir / "order.yaml"));
  for (const std::string& id : order) {
    const fs::path path = rules_dir / (id + ".yaml");
    LLMD_ASSIGN_OR_RETURN(Rule rule, ReadRule(path, facts));
    if (rule.id != id) return InvalidArgument("{}:1:1: its id is '{}'", path.string(), rule.id);
    if (FindRule(book, id) != book.rules.end()) {
      return InvalidArgument("{}: '{}' is listed twice", (rules_dir / "order.yaml").string(), id);
    }
    book.rules.push_back(std::move(rule));
  }
  for (const UserSpec& spec : ReadUserSpecs(user_dir, SpecKind::kRule, book.user_errors)) {
    const Status added = AddUserRule(spec, facts, book);
    if (!added.ok()) book.user_errors.push_back(Message(added));
  }
  return book;
}

}  // namespace llmd::detectors
