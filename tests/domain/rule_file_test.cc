#include "domain/rule_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llmd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::set<std::string> kFacts = {"config.model_type", "weights.none"};

StatusOr<Rule> Parse(const std::string& yaml) { return ParseRule(yaml, "x.yaml", kFacts); }

std::string ErrorOf(const std::string& yaml) {
  const StatusOr<Rule> rule = Parse(yaml);
  return rule.ok() ? "no error" : Message(rule.status());
}

TEST(RuleFileTest, ReadsEveryPart) {
  const StatusOr<Rule> rule = Parse(R"(schema: 1
id: glacier
before: diffusers
when:
  all:
    - {json: config.json, at: /model_type, matches: [glacier, glacier-*]}
    - not: {file: "*.gguf"}
    - any: [{tag: ice}, {fact: weights.none, is: false}]
set: {kind: llm, loader: "{config.model_type}", architecture: null}
reasons: ["no engine for {config.model_type}"]
cases:
  - when: {json: other.json, at: /size, at_least: 3}
    set: {kind: vlm}
capabilities:
  chat: {fact: config.model_type, exists: true}
)");
  ASSERT_TRUE(rule.ok()) << Message(rule.status());
  EXPECT_EQ(rule->id, "glacier");
  EXPECT_EQ(rule->before, "diffusers");
  EXPECT_EQ(rule->when.parts.size(), 3u);
  EXPECT_EQ(rule->verdict.set.size(), 3u);
  EXPECT_EQ(rule->verdict.set[2].second, "");
  EXPECT_EQ(rule->cases[0].when.least, 3);
  EXPECT_EQ(rule->capabilities[0].name, "chat");
  EXPECT_THAT(DocumentsOf(*rule), ElementsAre("config.json", "other.json"));
}

TEST(RuleFileTest, NamesFileLineAndColumn) {
  EXPECT_THAT(ErrorOf("schema: 1\nid: x\nwhen: {file: a}\nwhne: {file: b}\n"),
              HasSubstr("x.yaml:4:1: unknown key 'whne'"));
  EXPECT_THAT(ErrorOf("schema: 1\nid: x\nwhen: {fact: config.modle}\n"),
              HasSubstr("x.yaml:3:14: unknown fact 'config.modle'"));
  EXPECT_THAT(ErrorOf("schema: 1\nid: x\nwhen: {file: a}\nset: {kidn: llm}\n"),
              HasSubstr("unknown field 'kidn'"));
  EXPECT_THAT(ErrorOf("schema: 1\nid: x\nwhen: {file: a}\nset: {kind: bananas}\n"),
              HasSubstr("x.yaml:4:13: unknown kind 'bananas'"));
  EXPECT_THAT(ErrorOf("schema: 1\nid: x\nwhen: {file: a}\nset: {kind: '{weights.nine}'}\n"),
              HasSubstr("unknown fact 'weights.nine'"));
}

TEST(RuleFileTest, RefusesWhatIsNoRule) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("x.yaml:"));
  EXPECT_THAT(ErrorOf("- 1\n"), HasSubstr("a map was expected"));
  EXPECT_THAT(ErrorOf("id: x\nwhen: {file: a}\n"), HasSubstr("'schema: 1' is missing"));
  EXPECT_THAT(ErrorOf("schema: 1\nwhen: {file: a}\n"), HasSubstr("'id' is missing"));
  EXPECT_THAT(ErrorOf("schema: 1\nid: x\n"), HasSubstr("'when' is missing"));
  EXPECT_THAT(ErrorOf("schema: 1\nid: ../x\nwhen: {file: a}\n"), HasSubstr("an id is made of"));
}

TEST(RuleFileTest, RefusesOddPredicates) {
  const auto when = [](const std::string& predicate) {
    return ErrorOf("schema: 1\nid: x\nwhen: " + predicate + "\n");
  };
  EXPECT_THAT(when("{}"), HasSubstr("a predicate was expected"));
  EXPECT_THAT(when("{file: a, tag: b}"), HasSubstr("one predicate a map"));
  EXPECT_THAT(when("{all: []}"), HasSubstr("a list of 1 to 200"));
  EXPECT_THAT(when("{file: []}"), HasSubstr("1 to 200 texts"));
  EXPECT_THAT(when("{json: ../etc/passwd, at: /a}"), HasSubstr("not a path inside"));
  EXPECT_THAT(when("{json: a.json, at: a}"), HasSubstr("begins with '/'"));
  EXPECT_THAT(when("{json: a.json, at: /a, is: true, matches: b}"), HasSubstr("more than one of"));
  EXPECT_THAT(when("{fact: weights.none, is: maybe}"), HasSubstr("takes true or false"));
  EXPECT_THAT(when("{fact: weights.none, exists: false}"), HasSubstr("use 'not'"));
}

TEST(RuleFileTest, DeepNestingIsRefusedNotFatal) {
  std::string deep = "{file: a}";
  for (int i = 0; i < 2'000; ++i) deep = "{not: " + deep + "}";
  EXPECT_THAT(ErrorOf("schema: 1\nid: x\nwhen: " + deep + "\n"), HasSubstr("nested too deeply"));
}

}  // namespace
}  // namespace llmd
