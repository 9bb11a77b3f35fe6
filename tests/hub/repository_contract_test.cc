// What every Repository promises, on the Hub, a Hugging Face cache, a folder and the fake.
#include "base/hash.h"
#include "hub/hub_test.h"
#include "hub/local_repository.h"
#include "support/fakes/fake_hub.h"
#include "support/fakes/fake_repository.h"

namespace llmd::hub {
namespace {

using ::llmd::testing::FailsWith;
using ::llmd::testing::FakeHub;
using ::llmd::testing::FakeRepository;
using ::llmd::testing::IsOk;
using ::llmd::testing::RandomBytes;

const std::string kConfig = R"({"model_type": "llama"})";

class RepositoryContractTest : public HubTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    const std::string kind = GetParam();
    if (kind == "Http") {
      Publish("acme/tiny", weights_);
      server().Write("acme/tiny", "sub/empty.txt", "");
      server().Reload();
      hub_ = MakeHub(Options());
      repository_ = *Open(*hub_, "acme/tiny");
    } else if (kind == "Cache") {
      const std::string snapshot =
          "hf-cache/models--acme--tiny/snapshots/" + std::string(40, 'c') + "/";
      folder_.Write("hf-cache/models--acme--tiny/refs/main", std::string(40, 'c'));
      Fill(snapshot);
      repository_ = *OpenCached(folder_ / "hf-cache", "acme/tiny", "main");
    } else if (kind == "Folder") {
      Fill("model/");
      repository_ = *OpenFolder(folder_ / "model");
    } else if (kind == "FakeHub") {
      Fill("model/");
      auto fake = std::make_unique<FakeHub>();
      fake->Add("acme/tiny", folder_ / "model");
      hub_ = std::move(fake);
      repository_ = *Open(*hub_, "acme/tiny");
    } else {
      auto fake = std::make_unique<FakeRepository>();
      fake->Add("config.json", kConfig);
      fake->Add("model.safetensors", weights_);
      fake->Add("sub/empty.txt", "");
      repository_ = std::move(fake);
    }
  }
  void Fill(const std::string& below) {
    folder_.Write(below + "config.json", kConfig);
    folder_.Write(below + "model.safetensors", weights_);
    folder_.Write(below + "sub/empty.txt", "");
  }
  FileEntry Entry(const std::string& path) { return *repository_->List({})->Find(path); }

  const std::string weights_ = RandomBytes(200'000, 40);
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Repository> repository_;
};

TEST_P(RepositoryContractTest, ListsSortedWithSizes) {
  const auto list = repository_->List({});
  ASSERT_THAT(list, IsOk());
  ASSERT_EQ(list->files.size(), 3u);
  EXPECT_EQ(list->files[0].path, "config.json");
  EXPECT_EQ(list->files[0].size, static_cast<int64_t>(kConfig.size()));
  EXPECT_EQ(list->files[1].path, "model.safetensors");
  EXPECT_EQ(list->files[1].size, 200'000);
  EXPECT_EQ(list->files[2].path, "sub/empty.txt");
}

TEST_P(RepositoryContractTest, ReadsSmallFilesWithinTheirBound) {
  EXPECT_EQ(*repository_->ReadSmall("config.json", kConfig.size(), {}), kConfig);
  EXPECT_EQ(*repository_->ReadSmall("sub/empty.txt", 0, {}), "");
  EXPECT_THAT(repository_->ReadSmall("config.json", kConfig.size() - 1, {}),
              FailsWith(StatusCode::kResourceExhausted, "file_too_large"));
}

TEST_P(RepositoryContractTest, ReadsRanges) {
  EXPECT_EQ(*repository_->ReadRange("model.safetensors", 8, 100, {}), weights_.substr(8, 100));
  EXPECT_EQ(*repository_->ReadRange("model.safetensors", 199'990, 100, {}),
            weights_.substr(199'990));
  EXPECT_EQ(*repository_->ReadRange("model.safetensors", 200'000, 100, {}), "");
  EXPECT_EQ(*repository_->ReadRange("model.safetensors", 1 << 30, 100, {}), "");
  EXPECT_EQ(*repository_->ReadRange("model.safetensors", 5, 0, {}), "");
  EXPECT_EQ(repository_->ReadRange("model.safetensors", -1, 5, {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(repository_->ReadRange("model.safetensors", 0, -5, {}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_P(RepositoryContractTest, MissingAndUnsafePaths) {
  EXPECT_THAT(repository_->ReadSmall("none.json", 10, {}),
              FailsWith(StatusCode::kNotFound, "file_not_found"));
  EXPECT_THAT(repository_->ReadRange("none.json", 0, 10, {}),
              FailsWith(StatusCode::kNotFound, "file_not_found"));
  for (const char* path : {"../config.json", "/etc/passwd", "", "a//b", "C:\\x"}) {
    EXPECT_THAT(repository_->ReadSmall(path, 10, {}),
                FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
    EXPECT_THAT(repository_->ReadRange(path, 0, 10, {}),
                FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
    EXPECT_THAT(repository_->Fetch({.path = path, .size = 5}, folder_ / "out", {}, {}),
                FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
  }
}

TEST_P(RepositoryContractTest, PrefetchedReadsAreTheSame) {
  ASSERT_THAT(repository_->Prefetch({{.path = "config.json", .length = 1000, .whole = true},
                                     {.path = "model.safetensors", .offset = 0, .length = 5000},
                                     {.path = "none", .length = 5}},
                                    {}),
              IsOk());
  EXPECT_EQ(*repository_->ReadSmall("config.json", 1000, {}), kConfig);
  EXPECT_EQ(*repository_->ReadRange("model.safetensors", 100, 4000, {}),
            weights_.substr(100, 4000));
  EXPECT_EQ(*repository_->ReadRange("model.safetensors", 4000, 4000, {}),
            weights_.substr(4000, 4000));
}

TEST_P(RepositoryContractTest, FetchesAFileVerifiedWithProgress) {
  Progress last;
  ASSERT_THAT(repository_->Fetch(Entry("model.safetensors"), folder_ / "out",
                                 [&last](const Progress& now) { last = now; }, {}),
              IsOk());
  EXPECT_EQ(folder_.Read("out"), weights_);
  EXPECT_EQ(last.bytes_done, 200'000);
  EXPECT_EQ(last.bytes_total, 200'000);
}

TEST_P(RepositoryContractTest, AFileThatIsNotAsListedNeverAppears) {
  FileEntry file = Entry("model.safetensors");
  file.sha256 = std::string(64, '0');
  file.git_oid.clear();
  EXPECT_THAT(repository_->Fetch(file, folder_ / "out", {}, {}),
              FailsWith(StatusCode::kDataLoss, "checksum_mismatch"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

TEST_P(RepositoryContractTest, HearsCancel) {
  const FileEntry file = Entry("model.safetensors");
  CancelSource source;
  source.Cancel();
  const CancelToken cancel = source.token();
  EXPECT_EQ(repository_->List(cancel).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(repository_->ReadSmall("config.json", 1000, cancel).status().code(),
            StatusCode::kCancelled);
  EXPECT_EQ(repository_->ReadRange("config.json", 0, 5, cancel).status().code(),
            StatusCode::kCancelled);
  EXPECT_EQ(repository_->Prefetch({{.path = "config.json", .length = 5}}, cancel).code(),
            StatusCode::kCancelled);
  EXPECT_EQ(repository_->CheckAccess(cancel).code(), StatusCode::kCancelled);
  EXPECT_EQ(repository_->Fetch(file, folder_ / "out", {}, cancel).code(), StatusCode::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(Sources, RepositoryContractTest,
                         ::testing::Values("Http", "Cache", "Folder", "FakeHub", "Fake"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace llmd::hub
