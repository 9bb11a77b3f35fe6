#include "hub/local_repository.h"

#include <sys/stat.h>

#include "base/hash.h"
#include "hub/status_matchers.h"
#include "support/temp_folder.h"

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;
using ::llmd::testing::FailsWith;
using ::llmd::testing::IsOk;
using ::llmd::testing::TempFolder;

std::vector<std::string> Names(const FileInventory& inventory) {
  std::vector<std::string> names;
  for (const FileEntry& file : inventory.files) names.push_back(file.path);
  return names;
}

TEST(OpenFolder, ListsFilesAndReadsItsCard) {
  TempFolder folder;
  folder.Write("my model/config.json", "{}");
  folder.Write("my model/onnx/model.onnx", "weights");
  folder.Write("my model/.git/config", "[core]");
  folder.Write("my model/.cache/huggingface/x", "x");
  folder.Write("my model/README.md", "---\nlicense: mit\n---\n");
  const auto repository = OpenFolder(folder / "my model");
  ASSERT_THAT(repository, IsOk());
  EXPECT_EQ((*repository)->info().repo_id, "local/my_model");
  EXPECT_EQ((*repository)->info().source, "folder");
  EXPECT_EQ((*repository)->info().revision, std::nullopt);
  EXPECT_EQ((*repository)->info().license, "mit");
  const auto list = (*repository)->List({});
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(Names(*list), ::testing::ElementsAre("README.md", "config.json", "onnx/model.onnx"));
}

TEST(OpenFolder, MissingFolderIsSaid) {
  TempFolder folder;
  folder.Write("file", "");
  EXPECT_THAT(OpenFolder(folder / "none"),
              FailsWith(StatusCode::kNotFound, "repository_not_found"));
  EXPECT_THAT(OpenFolder(folder / "file"),
              FailsWith(StatusCode::kNotFound, "repository_not_found"));
}

TEST(OpenFolder, LinksThatLeadOutAreRefused) {
  TempFolder folder;
  folder.Write("model/config.json", "{}");
  const fs::path secret = folder.Write("secret", "password");
  fs::create_symlink(secret, folder / "model/weights.bin");
  const auto repository = *OpenFolder(folder / "model");
  EXPECT_THAT(repository->List({}), FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
  EXPECT_THAT(repository->ReadSmall("weights.bin", 100, {}),
              FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
  EXPECT_THAT(repository->Fetch({.path = "weights.bin", .size = 8}, folder / "out", {}, {}),
              FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
}

TEST(OpenFolder, LinksInsideAreFollowedAndDanglingOnesSaid) {
  TempFolder folder;
  folder.Write("model/real.bin", "weights");
  fs::create_symlink("real.bin", folder / "model/link.bin");
  fs::create_directory_symlink(".", folder / "model/loop");
  auto repository = *OpenFolder(folder / "model");
  const auto list = repository->List({});
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(Names(*list), ::testing::ElementsAre("link.bin", "real.bin"));
  fs::create_symlink("nowhere", folder / "model/broken.bin");
  repository = *OpenFolder(folder / "model");
  EXPECT_THAT(repository->List({}), FailsWith(StatusCode::kFailedPrecondition, "broken_link"));
}

TEST(OpenFolder, PipesAndUnsafeNamesAreNotRead) {
  TempFolder folder;
  folder.Write("model/config.json", "{}");
  ASSERT_EQ(::mkfifo((folder / "model/pipe").c_str(), 0600), 0);
  auto repository = *OpenFolder(folder / "model");
  EXPECT_THAT(Names(*repository->List({})), ::testing::ElementsAre("config.json"));
  EXPECT_FALSE(repository->ReadSmall("pipe", 100, {}).ok());
  folder.Write("model/a\nb", "");
  repository = *OpenFolder(folder / "model");
  EXPECT_THAT(repository->List({}), FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
}

TEST(OpenFolder, AFileThatGrewIsNotTakenHalf) {
  TempFolder folder;
  folder.Write("model/a.bin", "12345");
  const auto repository = *OpenFolder(folder / "model");
  const FileInventory list = *repository->List({});
  folder.Write("model/a.bin", "1234567");
  EXPECT_THAT(repository->Fetch(list.files[0], folder / "out", {}, {}),
              FailsWith(StatusCode::kFailedPrecondition, "source_changed"));
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST(OpenFolder, GitCloneWithoutLfsIsSaid) {
  TempFolder folder;
  folder.Write("model/model.safetensors",
               "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n");
  const auto repository = *OpenFolder(folder / "model");
  const FileInventory list = *repository->List({});
  EXPECT_THAT(repository->ReadRange("model.safetensors", 0, 100'000, {}),
              FailsWith(StatusCode::kDataLoss, "lfs_pointer"));
  EXPECT_THAT(repository->Fetch(list.files[0], folder / "out", {}, {}),
              FailsWith(StatusCode::kDataLoss, "lfs_pointer"));
}

class CachedTest : public ::testing::Test {
 protected:
  CachedTest() {
    cache_.Write("models--acme--tiny/refs/main", kCommit);
    cache_.Write("models--acme--tiny/refs/refs/pr/1", kCommit + "\n");
    cache_.Write("models--acme--tiny/blobs/" + Sha256Hex("weights"), "weights");
    cache_.Write("blobs/00/shared", "shared weights");
    fs::create_symlink("../../blobs/00/shared",
                       cache_ / "models--acme--tiny/blobs" / Sha256Hex("shared weights"));
    fs::create_directories(cache_ / ("models--acme--tiny/snapshots/" + kCommit));
    Link("model.bin", Sha256Hex("weights"));
    Link("shared.bin", Sha256Hex("shared weights"));
    cache_.Write("models--acme--tiny/snapshots/" + kCommit + "/config.json", "{}");
  }
  void Link(const std::string& name, const std::string& blob) {
    fs::create_symlink("../../blobs/" + blob,
                       cache_ / ("models--acme--tiny/snapshots/" + kCommit + "/" + name));
  }
  static inline const std::string kCommit = std::string(40, 'c');
  TempFolder cache_;
  TempFolder out_;
};

TEST_F(CachedTest, FindsASnapshotByRefAndByCommit) {
  for (const std::string& revision : {std::string("main"), std::string("refs/pr/1"), kCommit}) {
    const auto repository = OpenCached(cache_.path(), "acme/tiny", revision);
    ASSERT_THAT(repository, IsOk()) << revision;
    EXPECT_EQ((*repository)->info().revision, kCommit);
    EXPECT_EQ((*repository)->info().source, "cache");
  }
}

TEST_F(CachedTest, MissingSnapshotsAreSaid) {
  for (const char* revision : {"v9", "../../x", "", "/etc"}) {
    EXPECT_THAT(OpenCached(cache_.path(), "acme/tiny", revision),
                FailsWith(StatusCode::kNotFound, "repository_not_found"))
        << revision;
  }
  EXPECT_THAT(OpenCached(cache_.path(), "acme/none", "main"),
              FailsWith(StatusCode::kNotFound, "repository_not_found"));
  EXPECT_THAT(OpenCached("/nowhere", "acme/tiny", "main"),
              FailsWith(StatusCode::kNotFound, "repository_not_found"));
}

TEST_F(CachedTest, ASnapshotIsTakenByItsPath) {
  const fs::path folder = cache_ / "models--acme--tiny";
  fs::remove(folder / "snapshots" / kCommit / "shared.bin");  // leads to another repository's
  for (const fs::path& path : {folder, folder / "snapshots" / kCommit}) {
    const auto repository = OpenFolder(path);
    ASSERT_THAT(repository, IsOk()) << path;
    EXPECT_EQ((*repository)->info().repo_id, "acme/tiny");
    EXPECT_EQ((*repository)->info().source, "folder");
    EXPECT_EQ((*repository)->info().revision, kCommit);
    const auto list = (*repository)->List({});
    ASSERT_THAT(list, IsOk()) << path;
    EXPECT_THAT(Names(*list), ::testing::ElementsAre("config.json", "model.bin"));
    EXPECT_EQ(*(*repository)->ReadRange("model.bin", 0, 100, {}), "weights");
  }
}

TEST_F(CachedTest, OtherLinksOfASnapshotStayRefused) {
  const fs::path folder = cache_ / "models--acme--tiny";
  fs::create_symlink("../../refs/main", folder / "snapshots" / kCommit / "ref.json");
  const auto repository = *OpenFolder(folder);
  const Status refused = repository->List({}).status();
  EXPECT_THAT(refused, FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
  EXPECT_NE(GetErrorInfo(refused).next_step, "");
}

TEST_F(CachedTest, WithoutMainTheOnlySnapshotIsMeant) {
  const fs::path folder = cache_ / "models--acme--tiny";
  fs::remove(folder / "refs/main");
  EXPECT_THAT(OpenFolder(folder), IsOk());
  fs::create_directories(folder / "snapshots" / std::string(40, 'd'));
  EXPECT_THAT(OpenFolder(folder), FailsWith(StatusCode::kNotFound, "repository_not_found"));
}

TEST_F(CachedTest, BlobsAreFollowedTwiceAndKnownByTheirHash) {
  const auto repository = *OpenCached(cache_.path(), "acme/tiny", "main");
  const auto list = repository->List({});
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ(list->Find("model.bin")->sha256, Sha256Hex("weights"));
  EXPECT_EQ(list->Find("shared.bin")->sha256, Sha256Hex("shared weights"));
  EXPECT_EQ(list->Find("config.json")->sha256, "");
  EXPECT_THAT(repository->Fetch(*list->Find("shared.bin"), out_ / "shared.bin", {}, {}), IsOk());
  EXPECT_EQ(out_.Read("shared.bin"), "shared weights");
}

TEST_F(CachedTest, ADamagedBlobIsNotAdopted) {
  cache_.Write("models--acme--tiny/blobs/" + Sha256Hex("weights"), "WEIGHTS");
  const auto repository = *OpenCached(cache_.path(), "acme/tiny", "main");
  const FileInventory list = *repository->List({});
  EXPECT_THAT(repository->Fetch(*list.Find("model.bin"), out_ / "model.bin", {}, {}),
              FailsWith(StatusCode::kDataLoss, "checksum_mismatch"));
  EXPECT_FALSE(fs::exists(out_ / "model.bin"));
}

TEST_F(CachedTest, LinksOutOfTheCacheAreRefused) {
  const fs::path secret = out_.Write("secret", "password");
  fs::create_symlink(secret, cache_ / ("models--acme--tiny/snapshots/" + kCommit + "/x.json"));
  const auto repository = *OpenCached(cache_.path(), "acme/tiny", "main");
  EXPECT_THAT(repository->List({}), FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
}

}  // namespace
}  // namespace llmd::hub
