// The names of the facts that rules may ask about, each with one line for the documentation.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace llmd::detectors {

struct FactName {
  std::string_view name;
  std::string_view meaning;
};

std::span<const FactName> KnownFacts();
std::set<std::string> KnownFactNames();

}  // namespace llmd::detectors
