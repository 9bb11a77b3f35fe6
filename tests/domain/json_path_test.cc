#include "domain/json_path.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace llmd {
namespace {

using nlohmann::json;

TEST(JsonPathTest, FollowsPointers) {
  const json document = json::parse(R"({"a": {"b/c": [1, {"d~": "x"}]}, "": 2})");
  EXPECT_EQ(*JsonAt(document, ""), document);
  EXPECT_EQ(*JsonAt(document, "/a/b~1c/0"), 1);
  EXPECT_EQ(*JsonAt(document, "/a/b~1c/1/d~0"), "x");
  EXPECT_EQ(*JsonAt(document, "/"), 2);
}

TEST(JsonPathTest, IsNullWhereNothingIs) {
  const json document = json::parse(R"({"a": [1]})");
  for (const char* pointer :
       {"/b", "/a/1", "/a/-1", "/a/x", "/a/0/0", "a", "/a/99999999999999999999"}) {
    EXPECT_EQ(JsonAt(document, pointer), nullptr) << pointer;
  }
}

TEST(JsonPathTest, MembersOfOtherTypesAreNothing) {
  const json object = {{"text", "x"}, {"flag", true}, {"size", 7}};
  EXPECT_EQ(JsonText(&object, "text"), "x");
  EXPECT_EQ(JsonText(&object, "size"), "");
  EXPECT_EQ(JsonText(nullptr, "text"), "");
  EXPECT_EQ(JsonBool(&object, "flag"), true);
  EXPECT_EQ(JsonBool(&object, "text"), std::nullopt);
  EXPECT_EQ(JsonSize(&object, "size"), 7);
  const json list = json::array();
  EXPECT_EQ(JsonMember(&list, "size"), nullptr);
}

TEST(JsonPathTest, SizesAreWholeAndWithinReason) {
  EXPECT_EQ(AsSize(json(0)), 0);
  EXPECT_EQ(AsSize(json(int64_t{5})), 5);
  EXPECT_EQ(AsSize(json(4096.0)), 4096);
  EXPECT_EQ(AsSize(json(kMaxJsonSize)), kMaxJsonSize);
  for (const char* text : {"-1", "0.5", "9223372036854775807", "18446744073709551615", "1e30",
                           "true", "null", "\"7\""}) {
    EXPECT_EQ(AsSize(json::parse(text)), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace llmd
