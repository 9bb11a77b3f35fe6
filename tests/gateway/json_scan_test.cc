#include "gateway/json_scan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace llmd::gateway {
namespace {

using nlohmann::json;

std::string CodeOf(std::string_view text) { return GetErrorInfo(ScanObject(text).status()).code; }

TEST(ScanObjectTest, FindsTopLevelMembersOnly) {
  const std::string text =
      " {\"a\" : {\"model\":\"x\"}, \"model\":\t\"m\\\"q\" ,\n\"n\":-1.5e3,\"l\":[1,{}]}\n";
  const auto members = ScanObject(text);
  ASSERT_TRUE(members.ok());
  ASSERT_EQ(members->size(), 4u);
  EXPECT_EQ((*members)[0].value, "{\"model\":\"x\"}");
  EXPECT_EQ((*members)[1].key, "model");
  EXPECT_EQ((*members)[1].value, "\"m\\\"q\"");
  EXPECT_EQ((*members)[1].value_range.of(text), (*members)[1].value);
  EXPECT_EQ((*members)[1].range.of(text), "\"model\":\t\"m\\\"q\"");
  EXPECT_EQ((*members)[2].value, "-1.5e3");
  EXPECT_TRUE(ScanObject("{}")->empty());
  EXPECT_TRUE(ScanObject(" { } ")->empty());
}

TEST(ScanObjectTest, RefusesWhatHasTwoReadings) {
  EXPECT_EQ(CodeOf("{\"a\":1,\"model\":\"x\",\"model\":\"y\"}"), "duplicate_key");
  for (const std::string& text :
       {std::string(),
        std::string("[]"),
        std::string("\"model\""),
        std::string("{"),
        std::string("{\"a\"}"),
        std::string("{\"a\":}"),
        std::string("{\"a\":1"),
        std::string("{\"a\":1,}"),
        std::string("{,\"a\":1}"),
        std::string("{\"a\":1 \"b\":2}"),
        std::string("{\"a\":1}{\"model\":\"x\"}"),
        std::string("{\"a\":1}x"),
        std::string("{'a':1}"),
        std::string("{a:1}"),
        std::string("{\"mod\\u0065l\":\"x\"}"),
        std::string("{\"a\":[}]"),
        std::string("{\"a\":[1,2}"),
        std::string("{\"a\":\"x}"),
        std::string("{\"a\":\"x\\\"}"),
        std::string("\xef\xbb\xbf{\"a\":1}"),
        std::string("{\0\"\0a\0", 6),
        std::string("/* */{\"a\":1}"),
        "{\"a\":" + std::string(300, '[') + std::string(300, ']') + "}"}) {
    EXPECT_EQ(CodeOf(text), "invalid_json") << text;
  }
  std::string many = "{";
  for (int i = 0; i < 2000; ++i) many += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_EQ(CodeOf(many + "\"z\":1}"), "invalid_json");
}

TEST(ScanObjectTest, IsQuickOverManyEscapes) {
  std::string text = "{\"a\":\"";
  for (int i = 0; i < 1'000'000; ++i) text += "\\\\\\\"";
  text += "\",\"b\":\"" + std::string(2'000'000, '\\') + "\",\"model\":\"m\"}";
  const auto members = ScanObject(text);
  ASSERT_TRUE(members.ok());
  EXPECT_EQ(members->size(), 3u);
}

// Random JSON, with everything that quotes and brackets can do in strings.
class RandomJson {
 public:
  explicit RandomJson(unsigned seed) : random_(seed) {}

  std::string Object(int depth) {
    std::string out = Space() + "{" + Space();
    const int count = Pick(5);
    for (int i = 0; i < count; ++i) {
      out += (i > 0 ? "," : "") + Space() + "\"" + Key(i) + "\"" + Space() + ":" + Space();
      out += Value(depth) + Space();
    }
    return out + "}" + Space();
  }
  int Pick(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  char Any() { return static_cast<char>(random_()); }

 private:
  std::string Key(int i) {
    static const char* const kNames[] = {"model", "stream", "a{b", "n", "x]"};
    return std::string(kNames[Pick(5)]) + (Pick(10) == 0 ? "" : std::to_string(i));
  }
  std::string Space() { return std::string(static_cast<size_t>(Pick(2)), " \n\t\r"[Pick(4)]); }
  std::string String() {
    static const char* const kParts[] = {"a",        "\\\"", "\\\\",  "{",   "}",      "[",
                                         "]",        ",",    ":",     "\\n", "/",      "\\u0022",
                                         "\xc3\xa9", "\\/",  "model", " ",   "\\u005c"};
    std::string out = "\"";
    for (int i = Pick(8); i > 0; --i) out += kParts[Pick(17)];
    return out + "\"";
  }
  std::string Value(int depth) {
    static const char* const kPlain[] = {"1", "-2.5e-3", "true", "false", "null", "0"};
    const int kind = Pick(depth > 0 ? 5 : 3);
    if (kind < 2) return String();
    if (kind == 2) return kPlain[Pick(6)];
    if (kind == 3) return Trimmed(Object(depth - 1));
    std::string out = "[";
    for (int i = Pick(4); i > 0; --i) out += Value(depth - 1) + (i > 1 ? "," : "");
    return out + "]";
  }
  static std::string Trimmed(const std::string& text) {
    const size_t first = text.find('{');
    return text.substr(first, text.rfind('}') - first + 1);
  }
  std::mt19937 random_;
};

// Keys in their order; true when two are equal.
bool ParseWithOrder(const std::string& text, std::vector<std::pair<std::string, json>>& members) {
  const auto ordered = nlohmann::ordered_json::parse(text, nullptr, false);
  for (const auto& [key, value] : ordered.items()) members.emplace_back(key, json(value));
  return !ordered.is_discarded();
}

TEST(ScanObjectTest, AgreesWithAParser) {
  RandomJson random(1);
  int accepted = 0;
  for (int i = 0; i < 6'000; ++i) {
    const std::string text = random.Object(3);
    std::vector<std::pair<std::string, json>> expected;
    ASSERT_TRUE(ParseWithOrder(text, expected)) << text;
    const auto members = ScanObject(text);
    if (!members.ok()) {
      EXPECT_EQ(GetErrorInfo(members.status()).code, "duplicate_key") << text;
      continue;
    }
    ++accepted;
    ASSERT_EQ(members->size(), expected.size()) << text;
    for (size_t m = 0; m < members->size(); ++m) {
      EXPECT_EQ((*members)[m].key, expected[m].first) << text;
      EXPECT_EQ(json::parse((*members)[m].value), expected[m].second) << text;
      if (expected[m].second.is_array()) {
        EXPECT_EQ(CountElements((*members)[m].value), expected[m].second.size());
      }
      if (expected[m].second.is_string()) {
        EXPECT_EQ(DecodeString((*members)[m].value, 1000).value_or("?"),
                  expected[m].second.get<std::string>().find('\n') == std::string::npos
                      ? expected[m].second.get<std::string>()
                      : "?");
      }
    }
  }
  EXPECT_GT(accepted, 3'000);
}

// Whatever a parser takes, after any damage, the scan understands in the same way or refuses.
TEST(ScanObjectTest, NeverDisagreesAfterDamage) {
  RandomJson random(2);
  for (int i = 0; i < 15'000; ++i) {
    std::string text = random.Object(2);
    for (int hits = 1 + random.Pick(3); hits > 0 && !text.empty(); --hits) {
      const size_t at = static_cast<size_t>(random.Pick(static_cast<int>(text.size())));
      if (random.Pick(3) == 0)
        text.erase(at, 1);
      else
        text[at] = random.Pick(2) == 0 ? "\"\\{}[]:, "[random.Pick(9)] : random.Any();
    }
    const auto members = ScanObject(text);
    const json parsed = json::parse(text, nullptr, false);
    if (!members.ok() || !parsed.is_object()) continue;
    ASSERT_EQ(members->size(), parsed.size()) << text;
    for (const JsonMember& member : *members) {
      ASSERT_TRUE(parsed.contains(std::string(member.key))) << text;
      EXPECT_EQ(json::parse(member.value), parsed[std::string(member.key)]) << text;
    }
  }
}

TEST(DecodeStringTest, DecodesAndRefuses) {
  EXPECT_EQ(DecodeString(R"("a\/b\u00e9\ud83d\ude00\"")", 100), "a/b\xc3\xa9\xf0\x9f\x98\x80\"");
  EXPECT_EQ(DecodeString("\"\"", 100), "");
  for (const std::string& bad :
       {std::string("\"a"), std::string("a"), std::string("7"), std::string("\"\\x\""),
        std::string("\"\\u12\""), std::string("\"\\ud83d\""), std::string("\"\\ude00\""),
        std::string("\"\\ud83dx\""), std::string("\"\\n\""), std::string("\"\\u0000\""),
        std::string("\"\x7f\""), std::string("\"\xff\""), std::string("\"\xc3\""),
        "\"" + std::string(101, 'a') + "\""}) {
    EXPECT_FALSE(DecodeString(bad, 100)) << bad;
  }
}

TEST(QuoteStringTest, IsDecodeStringsInverse) {
  EXPECT_EQ(QuoteString("a\"b\\c/\xc3\xa9"), "\"a\\\"b\\\\c/\xc3\xa9\"");
  EXPECT_EQ(json::parse(QuoteString("line\n\x01")), json("line\n\x01"));
}

}  // namespace
}  // namespace llmd::gateway
