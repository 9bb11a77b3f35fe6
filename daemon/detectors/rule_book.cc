#include "detectors/rule_book.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/yaml_reader.h"
#include "detectors/fact_names.h"
#include "domain/rule_file.h"

namespace llmd::detectors {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxRuleBytes = 256 << 10;
constexpr size_t kMaxUserFiles = 200;

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

// A rule names what gets installed, so only its owner may be able to write it.
Status CheckOwner(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return ErrnoStatus(errno, path.string());
  if (!S_ISREG(info.st_mode)) return InvalidArgument("{}:1:1: not a regular file", path.string());
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return InvalidArgument("{}:1:1: others may write to this file; chmod go-w it", path.string());
  }
  return OkStatus();
}

// Handlers and engines of the user lie in the same folder; only detector rules have `when:`.
bool IsRuleFile(const std::string& yaml, const fs::path& path) {
  const StatusOr<YamlNode> root = ParseYaml(yaml, path.string());
  return !root.ok() || root->Find("when") != nullptr;
}

std::vector<fs::path> UserFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".yaml" && files.size() < kMaxUserFiles)
      files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

auto FindRule(RuleBook& book, std::string_view id) {
  return std::find_if(book.rules.begin(), book.rules.end(),
                      [&](const Rule& rule) { return rule.id == id; });
}

Status AddUserRule(const fs::path& path, const std::set<std::string>& facts, RuleBook& book) {
  LLMD_RETURN_IF_ERROR(CheckOwner(path));
  LLMD_ASSIGN_OR_RETURN(const std::string yaml, ReadFile(path, kMaxRuleBytes));
  if (!IsRuleFile(yaml, path)) return OkStatus();
  LLMD_ASSIGN_OR_RETURN(Rule rule, ParseRule(yaml, path.string(), facts));
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
  for (const fs::path& path : UserFiles(user_dir)) {
    const Status added = AddUserRule(path, facts, book);
    if (!added.ok()) book.user_errors.push_back(Message(added));
  }
  return book;
}

}  // namespace llmd::detectors
