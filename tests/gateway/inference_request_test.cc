#include "gateway/inference_request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace llmd::gateway {
namespace {

using nlohmann::json;

// The body after the rewriting.
std::string Rewritten(const std::string& text, const std::string& served_name) {
  ByteBudget budget(1u << 20);
  RequestBody body(budget);
  EXPECT_TRUE(body.Append(text).ok());
  const auto members = ScanObject(body.bytes());
  EXPECT_TRUE(members.ok()) << text;
  RewriteJson(body, *members, served_name);
  std::string out;
  for (const std::string_view view : body.Views()) out += view;
  EXPECT_EQ(out.size(), body.edited_size());
  return out;
}

TEST(RewriteJsonTest, EveryPlaceOfADroppedMember) {
  const char* const kKeys[] = {"model", "a",        "chat_template", "chat_template_kwargs",
                               "b",     "n_discard"};
  // All subsets, in order and reversed.
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const bool reversed : {false, true}) {
      std::string text;
      json expected = json::object();
      for (int i = 0; i < 6; ++i) {
        const int at = reversed ? 5 - i : i;
        if ((bits >> at & 1u) == 0) continue;
        text += std::string(text.empty() ? "" : " , ") + '"' + kKeys[at] + "\": \"v\"";
        if (at == 0) expected["model"] = "served";
        if (at == 1 || at == 4) expected[kKeys[at]] = "v";
      }
      const std::string out = Rewritten("{ " + text + " }", "served");
      EXPECT_EQ(json::parse(out, nullptr, false), expected) << text << " -> " << out;
    }
  }
}

TEST(RewriteJsonTest, LeavesTheRestAlone) {
  EXPECT_EQ(Rewritten("{\"model\":\"m\", \"x\" : 1}", "m"), "{\"model\":\"m\", \"x\" : 1}");
  EXPECT_EQ(Rewritten("{\"model\":\"m\"}", ""), "{\"model\":\"m\"}");
  EXPECT_EQ(Rewritten("{\"x\":{\"chat_template\":1}}", "m"), "{\"x\":{\"chat_template\":1}}");
}

TEST(FindModelTest, OnlyPlainStrings) {
  const auto find = [](const std::string& text) { return FindModel(*ScanObject(text)); };
  EXPECT_EQ(find(R"({"model":"a\/b"})")->name, "a/b");
  EXPECT_EQ(GetErrorInfo(find("{}").status()).code, "model_missing");
  for (const std::string& text :
       {std::string(R"({"model":null})"), std::string(R"({"model":["a"]})"),
        std::string(R"({"model":""})"), std::string("{\"model\":\"a\\nb\"}"),
        "{\"model\":\"" + std::string(300, 'a') + "\"}"}) {
    EXPECT_EQ(GetErrorInfo(find(text).status()).code, "invalid_model_name") << text;
  }
}

TEST(CheckParametersTest, Caps) {
  const auto check = [](const std::string& text) {
    const Status status = CheckParameters(*ScanObject(text));
    return status.ok() ? "" : GetErrorInfo(status).code;
  };
  for (const char* good : {R"({"n":1})", R"({"n":16})", R"({"n":null})", R"({"logprobs":true})",
                           R"({"stop":["a","b"]})", R"({"stop":"99999"})", R"({"max_tokens":1e9})",
                           R"({"x":{"n":1000}})"}) {
    EXPECT_EQ(check(good), "") << good;
  }
  std::string stops;
  for (int i = 0; i < 65; ++i) stops += std::string(i > 0 ? "," : "") + "\"s\"";
  for (const std::string& bad :
       {std::string(R"({"n":17})"), std::string(R"({"n":1e300})"), std::string(R"({"n":"17"})"),
        std::string(R"({"best_of":1000000})"), std::string(R"({"top_logprobs":101})"),
        "{\"stop\":[" + stops + "]}"}) {
    EXPECT_EQ(check(bad), "parameter_too_large") << bad;
  }
}

TEST(FindFlagTest, TrueFalseOrNothing) {
  const auto members = ScanObject(R"({"a":true,"b":false,"c":"true"})");
  EXPECT_EQ(FindFlag(*members, "a"), true);
  EXPECT_EQ(FindFlag(*members, "b"), false);
  EXPECT_EQ(FindFlag(*members, "c"), std::nullopt);
  EXPECT_EQ(FindFlag(*members, "d"), std::nullopt);
}

}  // namespace
}  // namespace llmd::gateway
