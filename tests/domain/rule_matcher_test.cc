#include "domain/rule_matcher.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "domain/rule_file.h"

namespace llmd {
namespace {

using nlohmann::json;

class RuleMatcherTest : public ::testing::Test {
 protected:
  RuleMatcherTest() {
    facts_.inventory.files = {{.path = "config.json"}, {.path = "onnx/model.onnx"}};
    facts_.info.tags = {"lora", "region:us"};
    facts_.documents["config.json"].json = std::make_shared<const json>(json::parse(
        R"({"architectures": ["BertModel", "Other"], "flag": true, "off": false, "layers": 4,
            "nothing": null, "nested": {"a": 1}})"));
    facts_.documents["broken.json"].error = "broken.json:1:2: what a mess";
  }

  Match Ask(const std::string& predicate) {
    FactSheet sheet(facts_);
    sheet.Set("text", std::string("alpha"));
    sheet.Set("list", std::vector<std::string>{"one", "two"});
    sheet.Set("yes", true);
    sheet.Set("no", false);
    sheet.Set("seven", int64_t{7});
    const StatusOr<Rule> rule = ParseRule("schema: 1\nid: x\nwhen: " + predicate + "\n", "x.yaml",
                                          {"text", "list", "yes", "no", "seven", "absent"});
    EXPECT_TRUE(rule.ok()) << predicate << ": " << Message(rule.status());
    return rule.ok() ? MatchPredicate(rule->when, sheet) : Match();
  }
  bool Holds(const std::string& predicate) { return Ask(predicate).matched; }
  std::string Because(const std::string& predicate) { return Ask(predicate).because; }

  Facts facts_;
};

TEST_F(RuleMatcherTest, AsksForFiles) {
  EXPECT_TRUE(Holds("{file: config.json}"));
  EXPECT_TRUE(Holds("{file: [x, 'onnx/*.onnx']}"));
  EXPECT_FALSE(Holds("{file: '*.onnx'}"));
  EXPECT_EQ(Because("{file: '*.gguf'}"), "no *.gguf file");
  EXPECT_EQ(Because("{file: '**/*.onnx'}"), "onnx/model.onnx is there");
}

TEST_F(RuleMatcherTest, AsksForTags) {
  EXPECT_TRUE(Holds("{tag: lora}"));
  EXPECT_TRUE(Holds("{tag: 'region:*'}"));
  EXPECT_FALSE(Holds("{tag: Lora}"));
}

TEST_F(RuleMatcherTest, AsksDocuments) {
  EXPECT_TRUE(Holds("{json: config.json, at: /architectures/0, matches: 'Bert*'}"));
  EXPECT_TRUE(Holds("{json: config.json, at: /architectures, matches: Other}"));
  EXPECT_FALSE(Holds("{json: config.json, at: /architectures, matches: Third}"));
  EXPECT_TRUE(Holds("{json: config.json, at: /flag}"));
  EXPECT_FALSE(Holds("{json: config.json, at: /off}"));
  EXPECT_TRUE(Holds("{json: config.json, at: /off, is: false}"));
  EXPECT_TRUE(Holds("{json: config.json, at: /absent, is: false}"));
  EXPECT_FALSE(Holds("{json: config.json, at: /nothing}"));
  EXPECT_TRUE(Holds("{json: config.json, at: /layers, at_least: 4}"));
  EXPECT_FALSE(Holds("{json: config.json, at: /layers, at_least: 5}"));
  EXPECT_TRUE(Holds("{json: config.json, at: /nested}"));
  EXPECT_TRUE(Holds("{json: config.json, at: /layers, matches: '4'}"));
}

TEST_F(RuleMatcherTest, SaysWhichKeyDecided) {
  EXPECT_EQ(Because("{json: config.json, at: /architectures/0, matches: 'Bert*'}"),
            "config.json: architectures[0] = BertModel");
  EXPECT_EQ(Because("{json: config.json, at: /nested/b}"), "config.json: nested.b is not there");
  EXPECT_EQ(Because("{json: no.json, at: /a}"), "no no.json");
  EXPECT_EQ(Because("{json: broken.json, at: /a}"), "broken.json:1:2: what a mess");
}

TEST_F(RuleMatcherTest, AsksFacts) {
  EXPECT_TRUE(Holds("{fact: text, matches: 'al*'}"));
  EXPECT_TRUE(Holds("{fact: list, matches: two}"));
  EXPECT_TRUE(Holds("{fact: yes}"));
  EXPECT_FALSE(Holds("{fact: no}"));
  EXPECT_TRUE(Holds("{fact: no, is: false}"));
  EXPECT_TRUE(Holds("{fact: absent, is: false}"));
  EXPECT_FALSE(Holds("{fact: absent}"));
  EXPECT_FALSE(Holds("{fact: absent, matches: '*'}"));
  EXPECT_TRUE(Holds("{fact: seven, at_least: 7}"));
  EXPECT_FALSE(Holds("{fact: seven, at_least: 8}"));
}

TEST_F(RuleMatcherTest, CombinesAndExplains) {
  EXPECT_TRUE(Holds("{all: [{fact: yes}, {not: {fact: no}}]}"));
  EXPECT_FALSE(Holds("{all: [{fact: yes}, {fact: no}]}"));
  EXPECT_TRUE(Holds("{any: [{fact: no}, {fact: yes}]}"));
  EXPECT_EQ(Because("{any: [{file: a}, {file: b}]}"), "no a file; no b file");
  EXPECT_EQ(Because("{any: [{file: a}, {file: b}, {file: a}]}"), "no a file; no b file");
  EXPECT_EQ(Because("{any: [{file: a}, {file: config.json}]}"), "config.json is there");
  EXPECT_EQ(Because("{all: [{file: config.json}, {file: b}]}"), "no b file");
}

TEST_F(RuleMatcherTest, WhatAFileSaysCannotReachTheTerminal) {
  facts_.documents["config.json"].json =
      std::make_shared<const json>(json{{"model_type", "x\x1b[31m\ny"}});
  const std::string because = Because("{json: config.json, at: /model_type}");
  EXPECT_EQ(because.find('\x1b'), std::string::npos);
  EXPECT_EQ(because.find('\n'), std::string::npos);
}

TEST(FillInTest, ReplacesFactsAndLeavesTheRest) {
  const Facts facts;
  FactSheet sheet(facts);
  sheet.Set("a", std::string("x"));
  sheet.Set("n", int64_t{3});
  EXPECT_EQ(FillIn("{a} and {n} and {b}.", sheet), "x and 3 and .");
  EXPECT_EQ(FillIn("{a", sheet), "{a");
  EXPECT_EQ(FillIn("", sheet), "");
}

}  // namespace
}  // namespace llmd
