// docs/configuration.md names every setting, and no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "config/keys.h"

namespace llmd::config {
namespace {

TEST(DocsTest, NameEverySetting) {
  std::ifstream file(LLMD_SOURCE_DIR "/docs/configuration.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t begin = text.find("## llmd.yaml");
  const size_t end = text.find("## Environment variables");
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  std::set<std::string> documented;
  for (size_t at = text.find("\n| `", begin); at < end; at = text.find("\n| `", at + 1)) {
    documented.insert(text.substr(at + 4, text.find('`', at + 4) - at - 4));
  }
  std::set<std::string> known;
  for (const Key& key : Keys()) known.insert(key.name);
  EXPECT_EQ(documented, known);
  for (const Key& key : Keys()) {
    EXPECT_THAT(text, ::testing::HasSubstr(key.variable.empty() ? "" : "`" + key.variable + "`"));
  }
}

}  // namespace
}  // namespace llmd::config
