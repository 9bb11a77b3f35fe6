#include "handlers/handlers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/file.h"

namespace llmd::handlers {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kProfiles = fs::path(LLMD_SOURCE_DIR) / "daemon/handlers/profiles";

class HandlersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(ours_).ok());
    ASSERT_TRUE(MakeFolders(users_).ok());
    Write(ours_ / "general.yaml", "schema: 1\nid: general\n");
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(root_).ok()); }

  void Write(const fs::path& path, std::string_view text) {
    ASSERT_TRUE(WriteFileAtomically(path, text, 0644).ok());
  }
  StatusOr<std::vector<HandlerSpec>> Load() { return LoadHandlers(ours_, users_, errors_); }

  const fs::path root_ = fs::path(::testing::TempDir()) / "llmd_handlers_test" /
                         ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const fs::path ours_ = root_ / "ours";
  const fs::path users_ = root_ / "users";
  std::vector<std::string> errors_;
};

std::vector<std::string> Ids(const std::vector<HandlerSpec>& handlers) {
  std::vector<std::string> ids;
  for (const HandlerSpec& handler : handlers) ids.push_back(handler.id);
  return ids;
}

TEST_F(HandlersTest, OurProfilesLoad) {
  const auto handlers = LoadHandlers(kProfiles, "", errors_);
  ASSERT_TRUE(handlers.ok()) << Message(handlers.status());
  EXPECT_TRUE(errors_.empty());
  // What applies to every model is an addition; of the others only general takes every model.
  for (const HandlerSpec& handler : *handlers) {
    if (!handler.addition && handler.id != "general") {
      EXPECT_FALSE(handler.match.empty()) << handler.id;
    }
  }
}

TEST_F(HandlersTest, UsersComeFirstThenOursThenGeneralThenAdditions) {
  Write(ours_ / "addition.yaml", "schema: 1\nid: a-few-more\naddition: true\n");
  Write(ours_ / "special.yaml", "schema: 1\nid: special\nmatch: {detectors: janus}\n");
  Write(users_ / "mine.yaml", "schema: 1\nid: zoo\nmatch: {repos: 'zoo/*'}\n");
  const auto handlers = Load();
  ASSERT_TRUE(handlers.ok()) << Message(handlers.status());
  EXPECT_THAT(Ids(*handlers), ElementsAre("zoo", "special", "general", "a-few-more"));
  EXPECT_TRUE(handlers->at(0).user);
}

TEST_F(HandlersTest, ReadsEveryKey) {
  Write(ours_ / "full.yaml", R"(schema: 1
id: full
match:
  - {detectors: transformers, model_types: [nemotron, 'nemotron*']}
  - {repos: 'nvidia/*', remote_code: true}
packages: [einops, {requirement: triton, when: {os: linux, gpu: cuda}}]
special:
  - {name: mamba-ssm, when: {architectures: Mamba*}, note: faster on a GPU}
  - {name: kernels, install: {gpu: cuda}}
  - {name: peft, install: always}
scripts: [{name: serve_tensorrt.sh, when: {kinds: llm}}]
notes: [{text: slow without a GPU, when: {gpu: none}}]
)");
  const auto handlers = Load();
  ASSERT_TRUE(handlers.ok()) << Message(handlers.status());
  const HandlerSpec& handler = handlers->at(0);
  EXPECT_EQ(handler.match.size(), 2u);
  EXPECT_EQ(handler.match.at(1).remote_code, true);
  EXPECT_EQ(handler.packages.at(0).requirement, "einops");
  EXPECT_THAT(handler.packages.at(1).when.at(0).gpu, ElementsAre("cuda"));
  EXPECT_FALSE(handler.special.at(0).installed);
  EXPECT_TRUE(handler.special.at(1).installed);
  EXPECT_EQ(handler.special.at(1).install_when.size(), 1u);
  EXPECT_TRUE(handler.special.at(2).installed);
  EXPECT_TRUE(handler.special.at(2).install_when.empty());
  EXPECT_EQ(handler.scripts.at(0).name, "serve_tensorrt.sh");
  EXPECT_EQ(handler.notes.at(0).text, "slow without a GPU");
}

struct BadFile {
  const char* name;
  const char* text;
  const char* message;
};

class BadHandlerTest : public HandlersTest, public ::testing::WithParamInterface<BadFile> {};

TEST_P(BadHandlerTest, OfOursIsAnErrorOfTheUsersIsSkipped) {
  Write(users_ / "bad.yaml", GetParam().text);
  const auto lenient = Load();
  ASSERT_TRUE(lenient.ok()) << Message(lenient.status());
  EXPECT_THAT(Ids(*lenient), ElementsAre("general"));
  EXPECT_THAT(errors_, ElementsAre(HasSubstr(GetParam().message)));

  Write(ours_ / "bad.yaml", GetParam().text);
  const auto strict = Load();
  ASSERT_FALSE(strict.ok());
  EXPECT_THAT(Message(strict.status()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadHandlerTest,
    ::testing::Values(
        BadFile{"NoMatch", "schema: 1\nid: a\n", "bad.yaml:1:1: 'match' is missing"},
        BadFile{"EmptyMatch", "schema: 1\nid: a\nmatch: {}\n", "an empty condition"},
        BadFile{"UnknownKey", "schema: 1\nid: a\nmatch: {kinds: llm}\npackage: [x]\n",
                "bad.yaml:4:10: unknown key 'package'"},
        BadFile{"TextForList", "schema: 1\nid: a\nmatch: {kinds: llm}\nspecial: mamba\n",
                "bad.yaml:4:10: 'special' takes a list"},
        BadFile{"BadInstall",
                "schema: 1\nid: a\nmatch: {kinds: llm}\nspecial: [{name: x, install: sometimes}]\n",
                "unknown value 'sometimes'"},
        BadFile{"ScriptWithFolder",
                "schema: 1\nid: a\nmatch: {kinds: llm}\nscripts: [{name: ../x.sh}]\n",
                "has no folder"}),
    [](const auto& info) { return info.param.name; });

TEST_F(HandlersTest, RulesAndEnginesInTheSameFolderAreLeftToOthers) {
  Write(users_ / "rule.yaml", "schema: 1\nid: r\nwhen: {file: x}\n");
  Write(users_ / "engine.yaml", "schema: 1\nid: e\nserves: []\n");
  Write(users_ / "handler.yaml", "schema: 1\nid: h\nmatch: {kinds: llm}\n");
  const auto handlers = Load();
  ASSERT_TRUE(handlers.ok()) << Message(handlers.status());
  EXPECT_THAT(Ids(*handlers), ElementsAre("h", "general"));
  EXPECT_TRUE(errors_.empty());
}

TEST_F(HandlersTest, WithoutGeneralNothingLoads) {
  ASSERT_TRUE(RemoveTree(ours_ / "general.yaml").ok());
  EXPECT_FALSE(Load().ok());
}

}  // namespace
}  // namespace llmd::handlers
