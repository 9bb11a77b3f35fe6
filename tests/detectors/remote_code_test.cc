#include "detectors/remote_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "detectors/repository_maker.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RemoteCode Find(const json& config, const json& tokenizer = json::object(),
                const std::vector<std::string>& files = {"modeling_x.py", "configuration_x.py"}) {
  Facts facts;
  for (const std::string& file : files) facts.inventory.files.push_back({.path = file, .size = 1});
  std::sort(facts.inventory.files.begin(), facts.inventory.files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  facts.documents["config.json"].json = std::make_shared<const json>(config);
  facts.documents["tokenizer_config.json"].json = std::make_shared<const json>(tokenizer);
  return FindRemoteCode(facts, FindModelConfig(facts), testing::OurTables());
}

json Llama(const json& auto_map) {
  json config = testing::LlamaConfig();
  config["auto_map"] = auto_map;
  return config;
}

TEST(RemoteCodeTest, NoAutoMapNoCode) { EXPECT_FALSE(Find(testing::LlamaConfig()).needed); }

TEST(RemoteCodeTest, CodeBesideANativeClassIsNotNeeded) {
  EXPECT_FALSE(Find(Llama({{"AutoConfig", "configuration_x.LlamaConfig"},
                           {"AutoModelForCausalLM", "modeling_x.LlamaForCausalLM"}}))
                   .needed);
  // The library spells it otherwise.
  EXPECT_FALSE(Find(Llama({{"AutoConfig", "configuration_x.LLaMAConfig"}})).needed);
}

TEST(RemoteCodeTest, AnUnknownTypeNeedsItsCode) {
  json config = Llama({{"AutoConfig", "configuration_x.XConfig"}, {"AutoModel", "modeling_x.X"}});
  config["model_type"] = "unheard-of";
  const RemoteCode code = Find(config);
  EXPECT_TRUE(code.needed);
  EXPECT_THAT(code.files, ElementsAre("configuration_x.py", "modeling_x.py"));
  EXPECT_EQ(code.obstacle, "");
}

TEST(RemoteCodeTest, ForeignWeightsUnderANativeType) {
  // Another configuration class, another architecture, a part of an unknown type.
  EXPECT_TRUE(Find(Llama({{"AutoConfig", "configuration_x.FlashLlamaConfig"}})).needed);
  json config = Llama({{"AutoModel", "modeling_x.StrangeLlama"}});
  config["architectures"] = {"StrangeLlama"};
  EXPECT_TRUE(Find(config).needed);
  config = Llama({{"AutoConfig", "configuration_x.LlamaConfig"}});
  config["vision_config"] = {{"model_type", "unheard-of"}};
  EXPECT_TRUE(Find(config).needed);
}

TEST(RemoteCodeTest, TokenizersCountToo) {
  EXPECT_TRUE(Find(testing::LlamaConfig(),
                   {{"auto_map", {{"AutoTokenizer", {"tokenization_x.XTokenizer", nullptr}}}}},
                   {"tokenization_x.py"})
                  .needed);
  EXPECT_FALSE(Find(testing::LlamaConfig(),
                    {{"auto_map", {{"AutoTokenizer", {"tokenization_x.LlamaTokenizer", nullptr}}}}})
                   .needed);
}

TEST(RemoteCodeTest, TheTokenizersOwnConfigurationGoesFirst) {
  json config = Llama({{"AutoModel", "modeling_x.X"}, {"AutoTokenizer", "org/tokenizer"}});
  config["model_type"] = "unheard-of";
  EXPECT_THAT(Find(config).obstacle, HasSubstr("outside"));
  const RemoteCode code = Find(config, {{"tokenizer_class", "GPT2Tokenizer"}});
  EXPECT_EQ(code.obstacle, "");
  EXPECT_THAT(code.files, ElementsAre("modeling_x.py"));
}

TEST(RemoteCodeTest, CodeOfAnotherRepositoryIsNamed) {
  json config = Llama({{"AutoModel", "org/other--modeling_x.X"}});
  config["model_type"] = "unheard-of";
  EXPECT_THAT(Find(config).files, ElementsAre("org/other: modeling_x.py"));
}

TEST(RemoteCodeTest, PathsAreNeverMadeOfIt) {
  for (const char* evil : {"../../../tmp/evil.Cfg", "/etc/evil.Model", "a/../b.C", "..evil.X",
                           "x\\y.Z", "../up--modeling_x.X", "", "nodot", "a b.C"}) {
    json config = Llama({{"AutoModelForCausalLM", evil}});
    config["model_type"] = "unheard-of";
    const RemoteCode code = Find(config);
    EXPECT_TRUE(code.needed) << evil;
    EXPECT_THAT(code.obstacle, HasSubstr("auto_map")) << evil;
    EXPECT_TRUE(code.files.empty()) << evil;
  }
}

TEST(RemoteCodeTest, CodeThatIsNotThereIsAnObstacle) {
  json config = Llama({{"AutoModel", "modeling_y.Y"}});
  config["model_type"] = "unheard-of";
  EXPECT_THAT(Find(config).obstacle, HasSubstr("modeling_y.py"));
}

TEST(RemoteCodeTest, AutoMapsMayBeAnything) {
  for (const json& map : {json(1), json("x"), json::array({1}), json{{"AutoModel", 7}},
                          json{{"AutoModel", {{"a", 1}}}}}) {
    EXPECT_FALSE(Find(Llama(map)).needed) << map.dump();
  }
}

}  // namespace
}  // namespace llmd::detectors
