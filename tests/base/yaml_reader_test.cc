#include "base/yaml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llmd {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ErrorOf(std::string_view text, const YamlLimits& limits = {}) {
  const auto yaml = ParseYaml(text, "t.yaml", limits);
  if (yaml.ok()) return "";
  EXPECT_EQ(yaml.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(GetErrorInfo(yaml.status()).code, "invalid_yaml");
  return Message(yaml.status());
}

TEST(YamlReaderTest, ReadsATreeWithPositions) {
  const auto yaml = ParseYaml("a: 1\nb:\n  - x\n  - {c: true}\nd: \"7\"\ne:\n", "t.yaml");
  ASSERT_TRUE(yaml.ok()) << yaml.status();
  ASSERT_TRUE(yaml->IsMap());
  EXPECT_EQ(yaml->Find("a")->AsInt(), 1);
  const YamlNode* b = yaml->Find("b");
  ASSERT_TRUE(b != nullptr && b->IsSequence());
  EXPECT_EQ(b->items[0].scalar, "x");
  EXPECT_EQ(b->items[0].line, 3);
  EXPECT_EQ(b->items[0].column, 5);
  EXPECT_EQ(b->items[1].Find("c")->AsBool(), true);
  EXPECT_TRUE(yaml->Find("e")->IsNull());
  EXPECT_EQ(yaml->Find("none"), nullptr);
  EXPECT_EQ(yaml->entries[2].first, "d");
  EXPECT_EQ(yaml->entries[2].second.key_line, 5);
}

TEST(YamlReaderTest, QuotedScalarsAreNeverNumbers) {
  const auto yaml = ParseYaml("[\"7\", '7', 7, \"true\", \"null\", ~]", "t.yaml");
  ASSERT_TRUE(yaml.ok());
  EXPECT_FALSE(yaml->items[0].AsInt().has_value());
  EXPECT_FALSE(yaml->items[1].AsInt().has_value());
  EXPECT_EQ(yaml->items[2].AsInt(), 7);
  EXPECT_FALSE(yaml->items[3].AsBool().has_value());
  EXPECT_EQ(yaml->items[4].scalar, "null");
  EXPECT_TRUE(yaml->items[4].IsScalar());
  EXPECT_TRUE(yaml->items[5].IsNull());
}

TEST(YamlReaderTest, OnlyTrueAndFalseAreBooleans) {
  const auto yaml = ParseYaml("[true, false, yes, no, on, True, 1]", "t.yaml");
  EXPECT_EQ(yaml->items[0].AsBool(), true);
  EXPECT_EQ(yaml->items[1].AsBool(), false);
  for (size_t i = 2; i < yaml->items.size(); ++i) {
    EXPECT_FALSE(yaml->items[i].AsBool().has_value()) << yaml->items[i].scalar;
  }
}

TEST(YamlReaderTest, NumbersAreWholeTexts) {
  const auto yaml = ParseYaml("[12, -3, 1.5, 12x, 0x10, 9223372036854775808, 1e3, '']", "t.yaml");
  EXPECT_EQ(yaml->items[0].AsInt(), 12);
  EXPECT_EQ(yaml->items[1].AsInt(), -3);
  EXPECT_FALSE(yaml->items[2].AsInt().has_value());
  EXPECT_EQ(yaml->items[2].AsDouble(), 1.5);
  EXPECT_FALSE(yaml->items[3].AsInt().has_value());
  EXPECT_FALSE(yaml->items[4].AsInt().has_value());
  EXPECT_FALSE(yaml->items[5].AsInt().has_value());
  EXPECT_EQ(yaml->items[6].AsDouble(), 1000);
  EXPECT_FALSE(yaml->items[7].AsInt().has_value());
}

TEST(YamlReaderTest, ErrorsSayWhere) {
  EXPECT_THAT(ErrorOf("a: 1\nb: [1, 2\n"), StartsWith("t.yaml:"));
  EXPECT_EQ(ErrorOf("a: 1\na: 2\n"), "t.yaml:2:1: the key 'a' appears twice");
  EXPECT_THAT(ErrorOf("a:\n  b: 1\n  c: 2\n  b: 3\n"), StartsWith("t.yaml:4:3: "));
  EXPECT_THAT(ErrorOf("? [1, 2]\n: x\n"), HasSubstr("a key must be a plain string"));
}

TEST(YamlReaderTest, WhatMakesSmallDocumentsLargeIsRefused) {
  EXPECT_THAT(ErrorOf("a: &x [1]\nb: *x\n"), HasSubstr("anchors are not allowed"));
  EXPECT_THAT(ErrorOf("a: &x 1\n"), StartsWith("t.yaml:1:4: "));
  EXPECT_THAT(ErrorOf("a: *x\n"), StartsWith("t.yaml:1:"));
  EXPECT_THAT(ErrorOf("a: !!int 1\n"), HasSubstr("tags are not allowed"));
  EXPECT_THAT(ErrorOf("a: !python/object:os.system x\n"), HasSubstr("tags are not allowed"));
  // Ten levels of ten aliases each.
  std::string bomb = "a0: &a0 [x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += fmt::format("a{0}: &a{0} [*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1}]\n", i, i - 1);
  }
  EXPECT_NE(ErrorOf(bomb), "");
}

TEST(YamlReaderTest, DepthAndSizeAreBounded) {
  EXPECT_NE(ErrorOf(std::string(100'000, '[')), "");
  EXPECT_THAT(ErrorOf(std::string(100, '[') + std::string(100, ']')),
              HasSubstr("nested too deeply"));
  std::string nested;
  for (int i = 0; i < 200; ++i) nested += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(ErrorOf(nested), HasSubstr("nested too deeply"));
  EXPECT_THAT(ErrorOf("[1, 2, 3]", {.max_nodes = 3}), HasSubstr("too many values"));
  EXPECT_EQ(ErrorOf("[1, 2, 3]", {.max_nodes = 4}), "");
  EXPECT_THAT(ErrorOf("a: 1", {.max_bytes = 3}), HasSubstr("more than 3 bytes"));
}

TEST(YamlReaderTest, ManyKeysAreReadInLinearTime) {
  std::string text;
  for (int i = 0; i < 45'000; ++i) text += fmt::format("k{}: 1\n", i);
  EXPECT_EQ(ErrorOf(text), "");
}

TEST(YamlReaderTest, OneDocumentIsReadNotTwo) {
  EXPECT_THAT(ErrorOf("a: 1\n---\nb: 2\n"), HasSubstr("more than one document"));
  EXPECT_EQ(ErrorOf("---\na: 1\n"), "");
  EXPECT_TRUE(ParseYaml("", "t.yaml")->IsNull());
  EXPECT_TRUE(ParseYaml("# only a comment\n", "t.yaml")->IsNull());
}

TEST(YamlReaderTest, ErrorsOfCallersHaveTheSameForm) {
  const auto yaml = ParseYaml("a: 1\nb: 2\n", "t.yaml");
  const Status status = YamlError("t.yaml", *yaml->Find("b"), "too small", "invalid_rule");
  EXPECT_EQ(Message(status), "t.yaml:2:4: too small");
  EXPECT_EQ(GetErrorInfo(status).code, "invalid_rule");
  EXPECT_EQ(Message(YamlKeyError("t.yaml", *yaml->Find("b"), "unknown")), "t.yaml:2:1: unknown");
}

}  // namespace
}  // namespace llmd
