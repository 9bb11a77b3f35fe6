// Rules: what a YAML file of detectors/rules says, as plain data. rule_file.h reads them,
// rule_matcher.h applies them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace llmd {

// A closed set of questions, on purpose: what rules cannot ask is a fact to be added in C++.
struct Predicate {
  enum class Kind {
    kFile,  // a file whose path matches one of `patterns`
    kTag,   // a tag of the Hub that matches one of `patterns`
    kJson,  // the value at `pointer` in the document `name`
    kFact,  // the derived fact `name`
    kAll,
    kAny,
    kNot,
  };
  // kJson and kFact: what is asked of the value.
  enum class Test {
    kExists,   // it is there, is not null and not false
    kMatches,  // it, or one of a list, matches one of `patterns`
    kIs,       // it equals the boolean `wanted`; a missing fact is false
    kAtLeast,  // a number of at least `least`
  };

  Kind kind = Kind::kAll;
  Test test = Test::kExists;
  std::vector<std::string> patterns;
  std::string name;
  std::string pointer;
  bool wanted = true;
  int64_t least = 0;
  std::vector<Predicate> parts;
};

// What a rule, or one of its cases, says of the model. Texts may hold {fact} placeholders; a text
// that is one placeholder without a value sets null.
struct Verdict {
  std::vector<std::pair<std::string, std::string>> set;  // field -> text; see kSettableFields
  std::vector<std::string> reasons;                      // why it cannot be served
};

struct RuleCase {
  Predicate when;
  Verdict verdict;
};

struct CapabilityRule {
  std::string name;
  Predicate when;
};

struct Rule {
  std::string id;
  std::string file;    // where it was read
  bool user = false;   // from the user's folder
  std::string before;  // a user's rule: tried before this one; empty: before transformers
  Predicate when;
  Verdict verdict;
  std::vector<RuleCase> cases;               // the first that matches adds to the verdict
  std::vector<CapabilityRule> capabilities;  // every one that matches counts
};

// Fields of the profile that a rule may set. `layout` says how the weights lie, see
// detectors/weights_choice.h.
inline constexpr const char* kSettableFields[] = {"kind",   "architecture",  "model_type",
                                                  "loader", "quantization",  "base_model",
                                                  "layout", "context_length"};

}  // namespace llmd
