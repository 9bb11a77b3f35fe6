#include "engines/engines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "base/file.h"

namespace llmd::engines {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kProfiles = fs::path(LLMD_SOURCE_DIR) / "daemon/engines/profiles";

constexpr char kMinimal[] = R"(schema: 1
id: mine
priority: 5
serves:
  - kind: llm
quantizations: [none]
)";

class EnginesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(ours_).ok());
    ASSERT_TRUE(MakeFolders(users_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(root_).ok()); }

  void Write(const fs::path& path, std::string_view text) {
    ASSERT_TRUE(WriteFileAtomically(path, text, 0644).ok());
  }
  StatusOr<std::vector<EngineSpec>> Load() { return LoadEngines(ours_, users_, errors_); }

  const fs::path root_ = fs::path(::testing::TempDir()) / "llmd_engines_test" /
                         ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const fs::path ours_ = root_ / "ours";
  const fs::path users_ = root_ / "users";
  std::vector<std::string> errors_;
};

TEST_F(EnginesTest, OurProfilesLoad) {
  const auto engines = LoadEngines(kProfiles, "", errors_);
  ASSERT_TRUE(engines.ok()) << Message(engines.status());
  EXPECT_TRUE(errors_.empty());
  for (size_t i = 1; i < engines->size(); ++i) {
    EXPECT_GE((*engines)[i - 1].priority, (*engines)[i].priority) << (*engines)[i].id;
  }
  for (const EngineSpec& engine : *engines) {
    EXPECT_FALSE(engine.serves.empty()) << engine.id;
    if (engine.not_driven.empty()) {
      EXPECT_FALSE(engine.packages.empty()) << engine.id;
      EXPECT_FALSE(engine.smoke.empty()) << engine.id;
      EXPECT_GT(engine.environment_bytes, 0) << engine.id;
      EXPECT_GT(engine.process_bytes, 0) << engine.id;
      for (const ServedKind& served : engine.serves) {
        // The agent always has /api/generate; an engine's own server has what is listed.
        EXPECT_TRUE(engine.argv.empty() || !served.routes.empty()) << engine.id;
      }
    }
  }
}

// The keys of the agent's loader table, read as text: "kind", "library:kind" where a library has
// loaders of its own, "class:kind" where a class of transformers has.
std::set<std::string> AgentLoaders() {
  const auto table =
      ReadFile(fs::path(LLMD_SOURCE_DIR) / "agent/llm_agent/loaders/table.py", 1u << 20);
  std::set<std::string> keys;
  if (!table.ok()) return keys;
  const std::regex entry(R"re(\n    "([A-Za-z0-9:-]+)": Entry\()re");
  for (auto at = std::sregex_iterator(table->begin(), table->end(), entry);
       at != std::sregex_iterator(); ++at) {
    keys.insert((*at)[1]);
  }
  return keys;
}

// timm loads nothing that transformers loads, so what it serves needs an entry of its own.
bool HasLoader(const std::set<std::string>& keys, const std::string& engine,
               const std::string& kind) {
  return keys.contains(engine + ":" + kind) || (engine != "timm" && keys.contains(kind));
}

TEST_F(EnginesTest, TheAgentHasALoaderForEveryKindThatItIsSaidToServe) {
  const std::set<std::string> keys = AgentLoaders();
  ASSERT_TRUE(keys.contains("llm"));
  const auto engines = LoadEngines(kProfiles, "", errors_);
  ASSERT_TRUE(engines.ok()) << Message(engines.status());
  for (const EngineSpec& engine : *engines) {
    if (!engine.argv.empty() || !engine.not_driven.empty()) continue;
    for (const ServedKind& served : engine.serves) {
      EXPECT_TRUE(HasLoader(keys, engine.id, served.kind))
          << engine.id << " claims " << served.kind;
    }
  }
}

// And the other way round: no loader is written in vain.
TEST_F(EnginesTest, EveryLoaderOfTheAgentIsUsedByAnEngine) {
  const auto engines = LoadEngines(kProfiles, "", errors_);
  ASSERT_TRUE(engines.ok()) << Message(engines.status());
  std::set<std::string> used;
  for (const EngineSpec& engine : *engines) {
    if (!engine.argv.empty() || !engine.not_driven.empty()) continue;
    for (const ServedKind& served : engine.serves) {
      used.insert(served.kind);
      used.insert(engine.id + ":" + served.kind);
      for (const SpecCondition& condition : served.when) {
        for (const std::string& loader : condition.loaders) used.insert(loader + ":" + served.kind);
      }
    }
  }
  for (const std::string& key : AgentLoaders()) EXPECT_TRUE(used.contains(key)) << key;
}

TEST_F(EnginesTest, ReadsEveryKey) {
  Write(ours_ / "full.yaml", R"(schema: 1
id: full
priority: 7
os: linux
gpu: [cuda]
weights_on_gpu: [cuda]
formats: [safetensors]
serves:
  - kind: llm
    when: {loaders: AutoModelForCausalLM}
    routes: [POST /v1/chat/completions]
    arguments: [--chat]
    activation_bytes: 5
quantizations:
  - none
  - {name: awq, when: {gpu: cuda}, refusal: needs a GPU}
load_quantizations:
  - {name: 4bit, when: [{os: linux}], refusal: needs Linux, bytes_per_parameter: 0.6,
     packages: [bitsandbytes]}
remote_code: true
packages:
  - torch
  - {requirement: triton, when: {os: linux}}
smoke: ["-c", "import torch"]
environment_bytes: 10
launch: {bind: tcp, argv: [serve], environment: {A: b}, ready_timeout_seconds: 3}
memory:
  process_bytes: 1
  weights_factor: 1.5
  batch_tokens: 2
  logits_for_batch: true
  default_context: 3
  default_parallel: 4
)");
  const auto engines = Load();
  ASSERT_TRUE(engines.ok()) << Message(engines.status());
  const EngineSpec& engine = engines->at(0);
  EXPECT_EQ(engine.id, "full");
  EXPECT_THAT(engine.os, ElementsAre("linux"));
  EXPECT_THAT(engine.serves.at(0).when.at(0).loaders, ElementsAre("AutoModelForCausalLM"));
  EXPECT_EQ(engine.serves.at(0).activation_bytes, 5);
  EXPECT_EQ(engine.quantizations.at(1).refusal, "needs a GPU");
  EXPECT_DOUBLE_EQ(engine.load_quantizations.at(0).bytes_per_parameter, 0.6);
  EXPECT_EQ(engine.load_quantizations.at(0).packages.at(0).requirement, "bitsandbytes");
  EXPECT_TRUE(engine.remote_code);
  EXPECT_THAT(engine.packages.at(1).when.at(0).os, ElementsAre("linux"));
  EXPECT_EQ(engine.bind, "tcp");
  EXPECT_EQ(engine.environment.at("A"), "b");
  EXPECT_EQ(engine.ready_timeout_seconds, 3);
  EXPECT_DOUBLE_EQ(engine.weights_factor, 1.5);
  EXPECT_TRUE(engine.logits_for_batch);
  EXPECT_EQ(engine.default_parallel, 4);
}

struct BadFile {
  const char* name;
  const char* text;
  const char* where;  // "line:column"
  const char* what;
};

class BadEngineTest : public EnginesTest, public ::testing::WithParamInterface<BadFile> {};

TEST_P(BadEngineTest, IsAnErrorWithItsPosition) {
  Write(ours_ / "bad.yaml", GetParam().text);
  const auto engines = Load();
  ASSERT_FALSE(engines.ok());
  EXPECT_EQ(engines.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(engines.status()),
              AllOf(HasSubstr(std::string("bad.yaml:") + GetParam().where + ":"),
                    HasSubstr(GetParam().what)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadEngineTest,
    ::testing::Values(
        BadFile{"UnknownKey", "schema: 1\nid: a\nserves: []\nquantizations: []\nspeed: 3\n", "5:8",
                "unknown key 'speed'"},
        BadFile{"NoSchema", "id: a\nserves: []\nquantizations: []\n", "1:1", "'schema' is missing"},
        BadFile{"NewSchema", "schema: 2\nid: a\n", "1:9", "schema 1"},
        BadFile{"BadId", "schema: 1\nid: A B\nserves: []\nquantizations: []\n", "2:5", "an id"},
        BadFile{"NoServes", "schema: 1\nid: a\nquantizations: []\n", "1:1", "'serves' is missing"},
        BadFile{"WrongType", "schema: 1\nid: a\npriority: high\nserves: []\nquantizations: []\n",
                "3:11", "whole number"},
        BadFile{"BadOs", "schema: 1\nid: a\nos: [linux, beos]\nserves: []\nquantizations: []\n",
                "3:13", "unknown value 'beos'"},
        BadFile{"BadBind",
                "schema: 1\nid: a\nserves: []\nquantizations: []\nlaunch: {bind: pipe}\n", "5:16",
                "unknown value 'pipe'"},
        BadFile{
            "UnknownCondition",
            "schema: 1\nid: a\nserves:\n  - {kind: llm, when: {moon: full}}\nquantizations: []\n",
            "4:30", "unknown key 'moon'"},
        BadFile{
            "NoRefusal",
            "schema: 1\nid: a\nserves: []\nquantizations:\n  - {name: awq, when: {gpu: cuda}}\n",
            "5:5", "'refusal' is missing"},
        BadFile{"NotYaml", "schema: [1\n", "2:1", ""}),
    [](const auto& info) { return info.param.name; });

TEST_F(EnginesTest, TheSameIdTwiceIsAnError) {
  Write(ours_ / "a.yaml", kMinimal);
  Write(ours_ / "b.yaml", kMinimal);
  const auto engines = Load();
  ASSERT_FALSE(engines.ok());
  EXPECT_THAT(Message(engines.status()), HasSubstr("the id 'mine' is taken by"));
}

TEST_F(EnginesTest, ABadUserFileIsSkippedAndListed) {
  Write(ours_ / "a.yaml", kMinimal);
  Write(users_ / "b.yaml", "schema: 1\nid: theirs\nserves: 3\nquantizations: []\n");
  Write(users_ / "c.yaml", kMinimal);
  Write(users_ / "d.yaml", "schema: 1\nid: good\npriority: 9\nserves: []\nquantizations: []\n");
  const auto engines = Load();
  ASSERT_TRUE(engines.ok()) << Message(engines.status());
  ASSERT_EQ(engines->size(), 2u);
  EXPECT_EQ(engines->at(0).id, "good");
  EXPECT_TRUE(engines->at(0).user);
  EXPECT_FALSE(engines->at(1).user);
  EXPECT_THAT(errors_, ElementsAre(HasSubstr("b.yaml:3:9: 'serves' takes a list"),
                                   HasSubstr("the id 'mine' is taken by")));
}

TEST_F(EnginesTest, AUserFileThatOthersCanWriteToIsRefused) {
  Write(ours_ / "a.yaml", kMinimal);
  Write(users_ / "b.yaml", "schema: 1\nid: theirs\nserves: []\nquantizations: []\n");
  ASSERT_EQ(::chmod((users_ / "b.yaml").c_str(), 0666), 0);
  const auto engines = Load();
  ASSERT_TRUE(engines.ok()) << Message(engines.status());
  EXPECT_EQ(engines->size(), 1u);
  EXPECT_THAT(errors_, ElementsAre(HasSubstr("others can write to it")));
}

TEST_F(EnginesTest, RulesAndHandlersInTheSameFolderAreLeftToOthers) {
  Write(ours_ / "a.yaml", kMinimal);
  Write(users_ / "rule.yaml", "schema: 1\nid: r\nwhen: {file: x}\n");
  Write(users_ / "handler.yaml", "schema: 1\nid: h\nmatch: {kinds: llm}\n");
  Write(users_ / "broken.yaml", "schema: [1\nwhen: x\n");
  Write(users_ / "broken-engine.yaml", "schema: [1\nserves: x\n");
  const auto engines = Load();
  ASSERT_TRUE(engines.ok()) << Message(engines.status());
  EXPECT_EQ(engines->size(), 1u);
  EXPECT_THAT(errors_, ElementsAre(HasSubstr("broken-engine.yaml:")));
}

TEST_F(EnginesTest, AMissingUserFolderIsFine) {
  Write(ours_ / "a.yaml", kMinimal);
  const auto engines = LoadEngines(ours_, root_ / "nowhere", errors_);
  EXPECT_TRUE(engines.ok());
  EXPECT_TRUE(errors_.empty());
}

}  // namespace
}  // namespace llmd::engines
