#include "hub/read_store.h"

#include "hub/metadata_cache.h"
#include "hub/status_matchers.h"
#include "support/temp_folder.h"

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;
using ::llmd::testing::TempFolder;

fs::path OnlyFileIn(const fs::path& folder) { return fs::directory_iterator(folder)->path(); }

class ReadStoreTest : public ::testing::TestWithParam<bool> {
 protected:
  fs::path Folder() const { return GetParam() ? folder_ / "pieces" : fs::path(); }
  TempFolder folder_;
};

TEST_P(ReadStoreTest, FindsWhatOnePieceHas) {
  ReadStore store(Folder());
  store.Put("a.json", 10, "0123456789");
  EXPECT_EQ(store.Find("a.json", 10, 10), "0123456789");
  EXPECT_EQ(store.Find("a.json", 12, 3), "234");
  EXPECT_TRUE(store.Has("a.json", 19, 1));
  EXPECT_EQ(store.Find("a.json", 9, 2), std::nullopt);
  EXPECT_EQ(store.Find("a.json", 19, 2), std::nullopt);
  EXPECT_EQ(store.Find("b.json", 10, 1), std::nullopt);
  EXPECT_FALSE(store.Has("a.json", 0, 1));
}

TEST_P(ReadStoreTest, ALaterStoreHasWhatLiesInTheFolder) {
  ReadStore(Folder()).Put("../../etc/passwd", 0, "text");
  EXPECT_EQ(ReadStore(Folder()).Find("../../etc/passwd", 0, 4),
            GetParam() ? std::optional<std::string>("text") : std::nullopt);
}

TEST_P(ReadStoreTest, KeepsNoMoreThanItsBound) {
  ReadStore store(Folder());
  const std::string big(100 << 20, 'x');
  store.Put("a", 0, big);
  store.Put("b", 0, big);
  EXPECT_TRUE(store.Has("a", 0, 1));
  EXPECT_FALSE(store.Has("b", 0, 1));
}

INSTANTIATE_TEST_SUITE_P(Places, ReadStoreTest, ::testing::Bool(), [](const auto& info) {
  return info.param ? std::string("InAFolder") : std::string("InMemory");
});

TEST(ReadStoreFolder, DamagedPiecesAreMissing) {
  TempFolder folder;
  ReadStore(folder.path()).Put("a", 0, "content");
  const fs::path piece = OnlyFileIn(folder.path());
  fs::resize_file(piece, fs::file_size(piece) - 1);
  EXPECT_EQ(ReadStore(folder.path()).Find("a", 0, 7), std::nullopt);
  for (const char* name :
       {"x", "-1--1", "00000000000000000000000000000000-9-99999999999999999999"}) {
    folder.Write(name, "junk");
  }
  EXPECT_EQ(ReadStore(folder.path()).Find("a", 9, 1), std::nullopt);
}

class MetadataCacheTest : public ::testing::Test {
 protected:
  const RepositoryInfo info_{.repo_id = "acme/tiny",
                             .source = "hub",
                             .revision = std::string(40, 'a'),
                             .gated = true,
                             .tags = {"one", "two"},
                             .license = "mit"};
  TempFolder folder_;
  const MetadataCache cache_{folder_.path()};
};

TEST_F(MetadataCacheTest, RemembersARevisionByEndpointAndName) {
  cache_.StoreInfo("http://hub", "acme/tiny", "main", info_);
  const auto found = cache_.FindInfo("http://hub", "acme/tiny", "main");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->revision, info_.revision);
  EXPECT_TRUE(found->gated);
  EXPECT_EQ(found->tags, info_.tags);
  EXPECT_EQ(found->license, "mit");
  EXPECT_EQ(found->base_model, std::nullopt);
  EXPECT_FALSE(cache_.FindInfo("http://other", "acme/tiny", "main"));
  EXPECT_FALSE(cache_.FindInfo("http://hub", "acme/tiny", "v1"));
  EXPECT_FALSE(cache_.FindInfo("http://hub", "acme/other", "main"));
}

TEST_F(MetadataCacheTest, GatedFilesAreForTheTokenTheyWereReadWith) {
  EXPECT_NE(cache_.CommitFolder("http://hub", info_, "token"),
            cache_.CommitFolder("http://hub", info_, ""));
  RepositoryInfo open = info_;
  open.gated = false;
  EXPECT_EQ(cache_.CommitFolder("http://hub", open, "token"),
            cache_.CommitFolder("http://hub", open, ""));
}

TEST_F(MetadataCacheTest, WithoutAFolderNothingIsKept) {
  const MetadataCache none{fs::path()};
  none.StoreInfo("http://hub", "acme/tiny", "main", info_);
  EXPECT_FALSE(none.FindInfo("http://hub", "acme/tiny", "main"));
  EXPECT_TRUE(none.CommitFolder("http://hub", info_, "").empty());
  EXPECT_FALSE(LoadList({}));
}

TEST_F(MetadataCacheTest, ForgetsTheOldestRepositories) {
  for (int i = 0; i < 120; ++i) {
    cache_.StoreInfo("http://hub", "acme/" + std::to_string(i), "main", info_);
  }
  const auto kept = std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator());
  EXPECT_EQ(kept, 100);
  EXPECT_TRUE(cache_.FindInfo("http://hub", "acme/119", "main"));
}

TEST_F(MetadataCacheTest, ListsComeBackAsTheyWere) {
  const FileInventory list{
      {{.path = "a file.json", .size = 5, .git_oid = std::string(40, 'b')},
       {.path = "model.safetensors", .size = 1'000'000'000'000, .sha256 = std::string(64, 'c')}}};
  StoreList(folder_ / "commit", list);
  const auto back = LoadList(folder_ / "commit");
  ASSERT_TRUE(back);
  ASSERT_EQ(back->files.size(), 2u);
  EXPECT_EQ(back->files[0].path, "a file.json");
  EXPECT_EQ(back->files[0].git_oid, list.files[0].git_oid);
  EXPECT_EQ(back->files[0].sha256, "");
  EXPECT_EQ(back->files[1].size, 1'000'000'000'000);
  EXPECT_EQ(back->files[1].sha256, list.files[1].sha256);
}

TEST_F(MetadataCacheTest, DamagedListsAreMissing) {
  StoreList(folder_ / "commit", {{{.path = "a", .size = 5}}});
  folder_.Write("commit/list", folder_.Read("commit/list") + "5 - - ../x\n");
  EXPECT_FALSE(LoadList(folder_ / "commit"));
}

}  // namespace
}  // namespace llmd::hub
