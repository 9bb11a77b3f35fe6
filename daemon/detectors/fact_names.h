// The names of the facts that rules may ask about, each with one line for the documentation and
// what is said of it to people.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "domain/fact_sheet.h"

namespace llmd::detectors {

struct FactName {
  std::string_view name;
  std::string_view meaning;
  std::string_view yes;  // see FactPhrases
  std::string_view no;
};

FactPhrases PhrasesOf(std::string_view fact);

std::span<const FactName> KnownFacts();
std::set<std::string> KnownFactNames();

}  // namespace llmd::detectors
