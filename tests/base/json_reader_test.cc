#include "base/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/temp_folder.h"

namespace llmd {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Repeat(std::string_view text, size_t times) {
  std::string result;
  result.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) result += text;
  return result;
}

// The code of the refusal; empty when it was read.
std::string CodeOf(std::string_view text, const JsonLimits& limits = {}) {
  const auto json = ParseJson(text, "t.json", limits);
  return json.ok() ? "" : GetErrorInfo(json.status()).code;
}

TEST(JsonReaderTest, ReadsADocument) {
  const auto json = ParseJson(R"({"a": [1, -2, 2.5, true, null, "ü"], "b": {}})", "t.json");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ((*json)["a"][0], 1);
  EXPECT_EQ((*json)["a"][5], "ü");
  EXPECT_TRUE((*json)["b"].is_object());
}

TEST(JsonReaderTest, AnErrorNamesSourceLineAndColumn) {
  const auto json = ParseJson("{\n  \"a\": 1,\n  \"b\": oops\n}", "config.json");
  EXPECT_EQ(json.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(json.status()), StartsWith("config.json:3:8: "));
  EXPECT_EQ(GetErrorInfo(json.status()).code, "invalid_json");
}

TEST(JsonReaderTest, WhatIsNotOneDocumentIsRefused) {
  for (const char* text :
       {"",         "   ", "{",       "[1,",      "{} {}",      "1 2",           "nan",      "NaN",
        "Infinity", "'a'", "{'a':1}", "[1,]",     "{\"a\":1,}", "{a:1}",         "// c\n{}", "01",
        "+1",       ".5",  "\"\\x\"", "\"a\nb\"", "tru",        "[\"\\ud800\"]", "{\"a\" 1}"}) {
    EXPECT_EQ(CodeOf(text), "invalid_json") << text;
  }
}

TEST(JsonReaderTest, DepthBombsCostNothing) {
  const std::string arrays = Repeat("[", 1'000'000);
  EXPECT_EQ(CodeOf(arrays), "json_too_deep");
  EXPECT_EQ(CodeOf(Repeat("{\"a\":", 500'000)), "json_too_deep");
  EXPECT_EQ(CodeOf(Repeat("[", 64) + Repeat("]", 64)), "");
  EXPECT_EQ(CodeOf(Repeat("[", 65) + Repeat("]", 65)), "json_too_deep");
}

TEST(JsonReaderTest, SizeBombsAreRefused) {
  EXPECT_EQ(CodeOf("[" + Repeat("{},", 300'000) + "{}]"), "json_too_large");
  EXPECT_EQ(CodeOf("[" + Repeat("0,", 300'000) + "0]"), "json_too_large");
  EXPECT_EQ(CodeOf("\"" + std::string(9u << 20, 'x') + "\""), "json_too_large");
  EXPECT_EQ(CodeOf("[1,2,3]", {.max_nodes = 3}), "json_too_large");
  EXPECT_EQ(CodeOf("[1,2,3]", {.max_nodes = 4}), "");
  EXPECT_EQ(CodeOf("[1]", {.max_bytes = 2}), "json_too_large");
}

TEST(JsonReaderTest, DuplicateKeysAreRefusedUnlessAllowed) {
  const auto json = ParseJson(R"({"a": 1, "b": {"a": 2}, "a": 3})", "t.json");
  EXPECT_THAT(Message(json.status()), HasSubstr("'a' appears twice"));
  EXPECT_EQ(CodeOf(R"({"a": 1, "b": {"a": 2}})"), "");
  const auto last = ParseJson(R"({"a": 1, "a": 3})", "t.json", {.allow_duplicate_keys = true});
  EXPECT_EQ((*last)["a"], 3);
}

TEST(JsonReaderTest, AByteOrderMarkIsSkippedOtherEncodingsAreRefused) {
  EXPECT_EQ(CodeOf("\xEF\xBB\xBF{\"a\": 1}"), "");
  using std::string_literals::operator""s;
  EXPECT_EQ(CodeOf("\xFF\xFE{\0}\0"s), "invalid_json");
  EXPECT_EQ(CodeOf("\xFE\xFF\0{\0}"s), "invalid_json");
  EXPECT_EQ(CodeOf("{\0}\0"s), "invalid_json");
}

TEST(JsonReaderTest, TextThatIsNotUtf8IsRefused) {
  for (const char* text :
       {"\"\xFF\"", "\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xF5\x80\x80\x80\"", "\"\xE2\x82\""}) {
    EXPECT_EQ(CodeOf(text), "invalid_json");
  }
}

TEST(JsonReaderTest, HugeNumbersDoNotWrap) {
  const auto json = ParseJson(
      "[9223372036854775807, 18446744073709551615, "
      "99999999999999999999, -9223372036854775809]",
      "t.json");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ((*json)[0].get<int64_t>(), INT64_MAX);
  EXPECT_TRUE((*json)[1].is_number_unsigned());
  EXPECT_TRUE((*json)[2].is_number_float());
  EXPECT_TRUE((*json)[3].is_number_float());
  EXPECT_EQ(CodeOf("1e999"), "invalid_json");
  EXPECT_EQ(CodeOf("1" + std::string(5000, '0')), "invalid_json");
}

TEST(JsonReaderTest, AMessageShowsLittleOfAHostileDocument) {
  const auto json = ParseJson(
      "{\"" + std::string(100'000, 'k') + "\": 1, \"" + std::string(100'000, 'k') + "\": 2}",
      "t.json");
  EXPECT_FALSE(json.ok());
  EXPECT_LT(Message(json.status()).size(), 500u);
  EXPECT_LT(Message(ParseJson(std::string(100'000, 'k'), "t.json").status()).size(), 500u);
}

TEST(JsonReaderTest, ReadsFiles) {
  const testing::TempFolder folder;
  EXPECT_EQ((*ReadJsonFile(folder.Write("a.json", "{\"x\": 7}")))["x"], 7);
  EXPECT_EQ(ReadJsonFile(folder / "none.json").status().code(), StatusCode::kNotFound);
  const auto large = ReadJsonFile(folder.Write("b.json", std::string(100, ' ')), {.max_bytes = 10});
  EXPECT_EQ(large.status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace llmd
