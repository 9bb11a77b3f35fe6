#include "detectors/fact_names.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace llmd::detectors {
namespace {

TEST(FactNamesTest, TheGuideListsEveryFact) {
  std::ifstream file(LLMD_SOURCE_DIR "/docs/adding-a-model-type.md");
  const std::string guide{std::istreambuf_iterator<char>(file), {}};
  for (const FactName& fact : KnownFacts()) {
    const std::string row = fmt::format("| `{}` | {} |", fact.name, fact.meaning);
    EXPECT_NE(guide.find(row), std::string::npos) << "missing in the guide: " << row;
  }
}

TEST(FactNamesTest, EveryFactIsToldInWords) {
  for (const FactName& fact : KnownFacts()) {
    EXPECT_FALSE(fact.yes.empty() || fact.no.empty()) << fact.name;
  }
}

TEST(FactNamesTest, NamesAreUnique) { EXPECT_EQ(KnownFactNames().size(), KnownFacts().size()); }

}  // namespace
}  // namespace llmd::detectors
