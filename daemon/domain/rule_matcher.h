// Applies rules to a fact sheet. Pure; time is bounded by the rule's size times the inventory's.
#pragma once

#include <string>
#include <string_view>

#include "domain/fact_sheet.h"
#include "domain/rule.h"

namespace llmd {

struct Match {
  bool matched = false;
  std::string because;  // one line for people: the file, key or fact that decided
};

Match MatchPredicate(const Predicate& predicate, const FactSheet& sheet);

// Replaces {fact} placeholders; a fact without a value becomes nothing.
std::string FillIn(std::string_view text, const FactSheet& sheet);

}  // namespace llmd
