// The rules in the order they are tried: ours, and the user's between them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/status.h"
#include "domain/rule.h"

namespace llmd::detectors {

struct RuleBook {
  std::vector<Rule> rules;               // the last one matches everything
  std::vector<std::string> user_errors;  // user files that were skipped: file:line:column: why
};

// Ours from `rules_dir` as its order.yaml lists them: anything wrong is an error. The user's from
// `user_dir` (may be missing), *.yaml with `when:`, in the order of names: a file that is broken,
// writable by others or named like another rule is skipped and reported.
StatusOr<RuleBook> LoadRuleBook(const std::filesystem::path& rules_dir,
                                const std::filesystem::path& user_dir);

}  // namespace llmd::detectors
