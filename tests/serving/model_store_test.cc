#include "serving/model_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <variant>

#include "domain/names.h"
#include "support/fakes/fake_registry.h"
#include "support/model_folder.h"
#include "support/temp_folder.h"

namespace llmd::serving {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ModelStoreTest : public ::testing::Test {
 protected:
  ModelStoreTest() {
    fs::create_directories(home_.models());
    subscription_ = events_.Subscribe([this](const Event& event) {
      if (const auto* changed = std::get_if<ModelChanged>(&event)) {
        heard_.push_back("changed " + changed->model.name);
      } else if (const auto* removed = std::get_if<ModelRemoved>(&event)) {
        heard_.push_back("removed " + removed->name);
      }
    });
  }
  void WriteFolder(const std::string& name, const std::string& folder) {
    const Status status = testing::WriteModelFolder(home_.models(), name, folder);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Load() {
    const Status status = store_.Load();
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const ModelRecord& model : store_.List()) names.push_back(model.name);
    return names;
  }
  static StoredModel Model(const std::string& name, const std::string& folder) {
    return {.record = {.name = name, .folder_name = folder, .state = ModelState::kInstalled}};
  }

  testing::TempFolder folder_;
  const platform::HomePaths home_{.home = folder_.path()};
  testing::FakeRegistry registry_;
  EventStream events_;
  ModelStore store_{registry_, events_, home_};
  std::vector<std::string> heard_;
  EventStream::Subscription subscription_;
};

TEST_F(ModelStoreTest, FoldersAreTheTruth) {
  WriteFolder("acme/tiny", "acme_tiny");
  Load();
  const auto model = store_.Get("acme/tiny");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->record.state, ModelState::kInstalled);
  EXPECT_EQ(model->record.folder_name, "acme_tiny");
  EXPECT_EQ(model->record.engine, "transformers");
  EXPECT_EQ(model->record.bytes_on_disk, 1007);
  EXPECT_EQ(model->record.memory_bytes, 100);
  EXPECT_EQ(model->launch.routes, std::vector<std::string>{"POST /v1/chat/completions"});
  EXPECT_TRUE(registry_.GetModel("acme/tiny").ok()) << "a lost registry is filled again";
}

TEST_F(ModelStoreTest, WhatHasNoFolderIsForgotten) {
  ASSERT_TRUE(registry_.PutModel(Model("gone/one", "gone_one").record).ok());
  Load();
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_THAT(*registry_.ListModels(), IsEmpty());
}

TEST_F(ModelStoreTest, AKnownFolderThatCannotBeReadIsBroken) {
  fs::create_directories(home_.model("acme_tiny"));
  ASSERT_TRUE(registry_.PutModel(Model("acme/tiny", "acme_tiny").record).ok());
  Load();
  EXPECT_EQ(store_.Get("acme/tiny")->record.state, ModelState::kBroken);
}

TEST_F(ModelStoreTest, StrangeFoldersAreLeftAlone) {
  fs::create_directories(home_.model("mine"));
  fs::create_directories(home_.staging() / "half");
  std::ofstream(home_.model("a-file")) << "x";
  fs::create_directories(home_.model("hostile"));
  std::ofstream(home_.model("hostile") / "model_info.json") << std::string(100'000, '[');
  Load();
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_TRUE(fs::exists(home_.model("mine")));
}

TEST_F(ModelStoreTest, ARenamedFolderKeepsModelAndAliases) {
  WriteFolder("acme/tiny", "acme_tiny");
  Load();
  ASSERT_TRUE(store_.SetAlias("t", "acme/tiny").ok());
  fs::rename(home_.model("acme_tiny"), home_.model("renamed"));
  Load();
  EXPECT_EQ(store_.Resolve("t")->record.folder_name, "renamed");
  EXPECT_EQ(registry_.GetModel("acme/tiny")->folder_name, "renamed");
  EXPECT_THAT(registry_.GetModel("acme/tiny")->aliases, ElementsAre("t"));
}

TEST_F(ModelStoreTest, FoldersThatChangedPlacesAreSortedOut) {
  WriteFolder("a/x", "a_x");
  WriteFolder("a/y", "a_y");
  Load();
  fs::rename(home_.model("a_x"), home_.model("tmp"));
  fs::rename(home_.model("a_y"), home_.model("a_x"));
  fs::rename(home_.model("tmp"), home_.model("a_y"));
  Load();
  EXPECT_EQ(store_.Get("a/x")->record.folder_name, "a_y");
  EXPECT_EQ(store_.Get("a/y")->record.folder_name, "a_x");
  EXPECT_EQ(registry_.GetModel("a/x")->folder_name, "a_y");
}

TEST_F(ModelStoreTest, ACopiedFolderDoesNotTakeTheModelOver) {
  WriteFolder("acme/tiny", "acme_tiny");
  Load();
  for (const char* copy : {"a-copy", "zz-copy"}) {
    fs::copy(home_.model("acme_tiny"), home_.model(copy), fs::copy_options::recursive);
  }
  Load();
  EXPECT_EQ(store_.Get("acme/tiny")->record.folder_name, "acme_tiny");
  EXPECT_EQ(Names().size(), 1u);
}

TEST_F(ModelStoreTest, AModelThatTakesAnAliasesNameWins) {
  WriteFolder("a/x", "a_x");
  Load();
  ASSERT_TRUE(store_.SetAlias("a/y", "a/x").ok());
  WriteFolder("a/y", "a_y");
  Load();
  EXPECT_EQ(store_.Resolve("a/y")->record.name, "a/y");
  EXPECT_THAT(store_.Get("a/x")->record.aliases, IsEmpty());
  ASSERT_TRUE(store_.SetAlias("b/z", "a/x").ok());
  ASSERT_TRUE(store_.Put(Model("b/z", "b_z")).ok());
  EXPECT_EQ(store_.Resolve("b/z")->record.name, "b/z");
  EXPECT_THAT(store_.Get("a/x")->record.aliases, IsEmpty());
}

TEST_F(ModelStoreTest, AdoptingAddsOneFolderAndTellsIt) {
  Load();
  WriteFolder("acme/tiny", "acme_tiny");
  ASSERT_TRUE(store_.Adopt("acme_tiny").ok());
  EXPECT_THAT(Names(), ElementsAre("acme/tiny"));
  EXPECT_THAT(heard_, ElementsAre("changed acme/tiny"));
  EXPECT_EQ(store_.Adopt("none").code(), StatusCode::kNotFound);
}

TEST_F(ModelStoreTest, PuttingAgainKeepsAliases) {
  ASSERT_TRUE(store_.Put(Model("a/x", "a_x")).ok());
  ASSERT_TRUE(store_.SetAlias("fast", "a/x").ok());
  ASSERT_TRUE(store_.Put(Model("a/x", "a_x")).ok());
  EXPECT_THAT(store_.Get("a/x")->record.aliases, ElementsAre("fast"));
  ASSERT_TRUE(store_.SetState("a/x", ModelState::kRemoving).ok());
  EXPECT_THAT(store_.Get("a/x")->record.aliases, ElementsAre("fast"));
}

TEST_F(ModelStoreTest, NamesResolveExactlyByAliasAndByShortForm) {
  for (const char* name : {"Qwen/Qwen3-0.6B", "acme/tiny", "beta/tiny", "gpt2"}) {
    ASSERT_TRUE(store_.Put(Model(name, FolderNameFor(name))).ok());
  }
  ASSERT_TRUE(store_.SetAlias("fast", "acme/tiny").ok());
  EXPECT_EQ(store_.Resolve("acme/tiny")->record.name, "acme/tiny");
  EXPECT_EQ(store_.Resolve("fast")->record.name, "acme/tiny");
  EXPECT_EQ(store_.Resolve("qwen3-0.6b")->record.name, "Qwen/Qwen3-0.6B");
  EXPECT_EQ(store_.Resolve("QWEN/qwen3-0.6B")->record.name, "Qwen/Qwen3-0.6B");
  EXPECT_EQ(store_.Resolve("GPT2")->record.name, "gpt2");
  const auto ambiguous = store_.Resolve("tiny");
  EXPECT_EQ(GetErrorInfo(ambiguous.status()).code, "ambiguous_model");
  EXPECT_THAT(Message(ambiguous.status()), HasSubstr("acme/tiny, beta/tiny"));
  for (const char* unknown : {"", "tin", "acme", "acme/", "/tiny", "other/tiny"}) {
    EXPECT_EQ(GetErrorInfo(store_.Resolve(unknown).status()).code, "model_not_found") << unknown;
  }
}

TEST_F(ModelStoreTest, AliasesMoveAndGo) {
  ASSERT_TRUE(store_.Put(Model("a/x", "a_x")).ok());
  ASSERT_TRUE(store_.Put(Model("a/y", "a_y")).ok());
  ASSERT_TRUE(store_.SetAlias("m", "a/x").ok());
  EXPECT_EQ(store_.SetAlias("m", "a/y").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(store_.SetAlias("../x", "a/y").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(store_.SetAlias("n", "a/z").code(), StatusCode::kNotFound);
  ASSERT_TRUE(store_.SetAlias("m", "").ok());
  EXPECT_FALSE(store_.Resolve("m").ok());
  EXPECT_THAT(store_.Get("a/x")->record.aliases, IsEmpty());
  ASSERT_TRUE(store_.SetAlias("m", "a/y").ok());
  ASSERT_TRUE(store_.Remove("a/y").ok());
  EXPECT_FALSE(store_.Resolve("m").ok());
}

TEST_F(ModelStoreTest, FoldersOfNamesThatMeetDiffer) {
  EXPECT_EQ(store_.FolderFor("a/b_c"), "a_b_c");
  ASSERT_TRUE(store_.Put(Model("a/b_c", "a_b_c")).ok());
  EXPECT_EQ(store_.FolderFor("a/b_c"), "a_b_c");
  const std::string other = store_.FolderFor("a_b/c");
  EXPECT_THAT(other, ::testing::MatchesRegex("a_b_c-[0-9a-f]{6}"));
  EXPECT_EQ(store_.FolderFor("a_b/c"), other);
  EXPECT_THAT(store_.FolderFor("A/B_c"), ::testing::MatchesRegex("A_B_c-[0-9a-f]{6}"));
}

TEST_F(ModelStoreTest, AWriteThatFailsChangesNothing) {
  ASSERT_TRUE(store_.Put(Model("a/x", "a_x")).ok());
  heard_.clear();
  registry_.FailWrites(1, ResourceExhausted("disk full"));
  EXPECT_FALSE(store_.SetState("a/x", ModelState::kRemoving).ok());
  registry_.FailWrites(1, ResourceExhausted("disk full"));
  EXPECT_FALSE(store_.Remove("a/x").ok());
  EXPECT_EQ(store_.Get("a/x")->record.state, ModelState::kInstalled);
  EXPECT_THAT(heard_, IsEmpty());
}

}  // namespace
}  // namespace llmd::serving
