// Reads the YAML form of a rule. Strict: an unknown key, fact, field or document test is an error
// with file:line:column (kInvalidArgument, code "invalid_rule"). Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "domain/rule.h"

namespace llmd {

// `known_facts` are the names that `fact:` and {placeholders} may use.
StatusOr<Rule> ParseRule(std::string_view yaml, std::string_view source,
                         const std::set<std::string>& known_facts);

// The documents (file names without wildcards) that the rule asks about by `json:`.
std::vector<std::string> DocumentsOf(const Rule& rule);

}  // namespace llmd
