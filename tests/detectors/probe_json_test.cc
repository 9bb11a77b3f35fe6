#include "detectors/probe_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace llmd::detectors {
namespace {

using ::testing::HasSubstr;

TEST(ProbeJsonTest, ReadsWhatPythonWrites) {
  const Document document =
      ReadJsonDocument("config.json", R"({"a": NaN, "b": [0.0, Infinity, -Infinity], "c": "NaN"})");
  ASSERT_NE(document.json, nullptr) << document.error;
  EXPECT_TRUE((*document.json)["b"][1].is_null());
  EXPECT_TRUE((*document.json)["b"][2].is_null());
  EXPECT_EQ((*document.json)["c"], "NaN");
}

TEST(ProbeJsonTest, LeavesStringsAlone) {
  const Document document =
      ReadJsonDocument("config.json", R"({"a": "say \"Infinity\" and -Infinity", "N": 1})");
  ASSERT_NE(document.json, nullptr) << document.error;
  EXPECT_EQ((*document.json)["a"], "say \"Infinity\" and -Infinity");
}

TEST(ProbeJsonTest, TheLastOfEqualKeysCounts) {
  const Document document = ReadJsonDocument("config.json", R"({"a": 1, "a": 2, "a": 3})");
  ASSERT_NE(document.json, nullptr) << document.error;
  EXPECT_EQ((*document.json)["a"], 3);
}

TEST(ProbeJsonTest, AcceptsAByteOrderMark) {
  EXPECT_NE(ReadJsonDocument("config.json", "\xEF\xBB\xBF{\"a\": 1}").json, nullptr);
}

TEST(ProbeJsonTest, RefusesUtf16) {
  const std::string little("\xFF\xFE{\0}\0", 6);
  const std::string bare("{\0}\0", 4);
  EXPECT_THAT(ReadJsonDocument("config.json", little).error, HasSubstr("UTF-16"));
  EXPECT_THAT(ReadJsonDocument("config.json", bare).error, HasSubstr("UTF-16"));
}

TEST(ProbeJsonTest, NamesFileLineAndColumn) {
  const Document document = ReadJsonDocument("config.json", "{\n  \"a\": 1,\n");
  EXPECT_EQ(document.json, nullptr);
  EXPECT_THAT(document.error, HasSubstr("config.json:"));
}

TEST(ProbeJsonTest, BoundsDepthAndSize) {
  const std::string deep(1'000'000, '[');
  EXPECT_THAT(ReadJsonDocument("config.json", deep).error, HasSubstr("nested deeper"));
  const std::string long_one = "\"" + std::string(kMaxJsonBytes, 'x') + "\"";
  EXPECT_THAT(ReadJsonDocument("config.json", long_one).error, HasSubstr("bytes long"));
}

TEST(ProbeJsonTest, NumbersBeyond64BitsAreNumbers) {
  const Document document = ReadJsonDocument(
      "config.json", R"({"a": 1000000000000000000000000000000, "b": -9223372036854775808})");
  ASSERT_NE(document.json, nullptr) << document.error;
  EXPECT_TRUE((*document.json)["a"].is_number_float());
}

}  // namespace
}  // namespace llmd::detectors
