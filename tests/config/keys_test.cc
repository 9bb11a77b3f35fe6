#include "config/keys.h"

#include <gtest/gtest.h>

#include <set>

namespace llmd::config {
namespace {

TEST(KeysTest, NamesAreUniqueAndHaveAtMostOneSection) {
  std::set<std::string> seen;
  for (const Key& key : Keys()) {
    EXPECT_TRUE(seen.insert(key.name).second) << key.name;
    EXPECT_LE(std::ranges::count(key.name, '.'), 1) << key.name;
    EXPECT_EQ(FindKey(key.name), &key);
    EXPECT_FALSE(key.wants.empty()) << key.name;
  }
  EXPECT_EQ(FindKey("no.such"), nullptr);
}

TEST(KeysTest, NoKeyTakesAMap) {
  for (const Key& key : Keys()) {
    Config config;
    const YamlNode map{.kind = YamlNode::Kind::kMap};
    EXPECT_FALSE(key.set(map, config)) << key.name;
  }
}

TEST(KeysTest, FindsTheNearestName) {
  EXPECT_EQ(NearestKey("", "listne"), "listen");
  EXPECT_EQ(NearestKey("", "servrs"), "servers");
  EXPECT_EQ(NearestKey("hub", "tokenfile"), "hub.token_file");
  EXPECT_EQ(NearestKey("hub", "index_url"), "python.index_url");
  EXPECT_EQ(NearestKey("", "completely_different"), "");
  EXPECT_EQ(NearestKey("", std::string(100'000, 'x')), "");
}

}  // namespace
}  // namespace llmd::config
