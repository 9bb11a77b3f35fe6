// What is kept of earlier checks, and what works offline.
#include "base/file.h"
#include "hub/hub_test.h"

namespace llmd::hub {
namespace {

using ::llmd::testing::FailsWith;
using ::llmd::testing::IsOk;
using ::llmd::testing::RandomBytes;

class KeptTest : public HubTest {
 protected:
  // What a check does, as far as the hub is concerned.
  Status Check(bool offline, const HubCredentials& credentials = {}) {
    HubOptions options = Options();
    options.metadata_folder = folder_ / "kept";
    const auto hub = MakeHub(options);
    LLMD_ASSIGN_OR_RETURN(
        const auto repository,
        hub->Open({.repo_id = "acme/tiny", .credentials = credentials, .offline = offline}, {}));
    LLMD_RETURN_IF_ERROR(repository->CheckAccess({}));
    LLMD_RETURN_IF_ERROR(repository->List({}).status());
    LLMD_RETURN_IF_ERROR(
        repository->Prefetch({{.path = "config.json", .length = 1000, .whole = true},
                              {.path = "model.safetensors", .length = 1000}},
                             {}));
    LLMD_RETURN_IF_ERROR(repository->ReadSmall("config.json", 1000, {}).status());
    return repository->ReadRange("model.safetensors", 0, 1000, {}).status();
  }
  size_t Requests() {
    const size_t count = server().Log().size();
    server().ClearLog();
    return count;
  }
};

TEST_F(KeptTest, ASecondCheckMakesOneRequestAndAnOfflineOneNone) {
  Publish("acme/tiny", RandomBytes(300'000, 7));
  EXPECT_THAT(Check(true), FailsWith(StatusCode::kNotFound, "repository_not_found"));
  ASSERT_THAT(Check(false), IsOk());
  EXPECT_EQ(Requests(), 6u);  // revision, tree, and twice an address and its target
  ASSERT_THAT(Check(false), IsOk());
  EXPECT_EQ(Requests(), 1u);
  ASSERT_THAT(Check(true), IsOk());
  EXPECT_EQ(Requests(), 0u);
}

TEST_F(KeptTest, ACommitIsKnownOfflineByItself) {
  Publish("acme/tiny", RandomBytes(300'000, 7));
  HubOptions options = Options();
  options.metadata_folder = folder_ / "kept";
  const auto hub = MakeHub(options);
  const auto online = *hub->Open({.repo_id = "acme/tiny"}, {});
  ASSERT_THAT(online->List({}), IsOk());
  const auto open = [&](const std::string& revision) {
    return hub->Open({.repo_id = "acme/tiny", .revision = revision, .offline = true}, {});
  };
  const auto offline = open(*online->info().revision);
  ASSERT_THAT(offline, IsOk());
  EXPECT_EQ((*offline)->List({})->files.size(), 2u);
  EXPECT_THAT(GetErrorInfo(open(std::string(40, 'f')).status()).next_step,
              ::testing::HasSubstr("--offline"));
  options.offline = true;
  const auto set_offline = MakeHub(options)->Open({.repo_id = "acme/none"}, {});
  EXPECT_THAT(GetErrorInfo(set_offline.status()).next_step, ::testing::HasSubstr("restart"));
}

TEST_F(KeptTest, AnotherCommitIsReadAnew) {
  Publish("acme/tiny", RandomBytes(300'000, 7));
  ASSERT_THAT(Check(false), IsOk());
  Publish("acme/tiny", RandomBytes(300'000, 8));
  ASSERT_THAT(Check(false), IsOk());
  EXPECT_EQ(Requests(), 6u);
}

TEST_F(KeptTest, WhatWasReadWithATokenIsNotForOthers) {
  Publish("acme/tiny", RandomBytes(300'000, 7), {{"gated", "auto"}, {"tokens", {kGoodToken}}});
  ASSERT_THAT(Check(false, {.token = kGoodToken}), IsOk());
  EXPECT_THAT(Check(false), FailsWith(StatusCode::kUnauthenticated, "gated_needs_token"));
  EXPECT_THAT(Check(true), FailsWith(StatusCode::kUnavailable, "offline"));
  EXPECT_THAT(Check(true, {.token = kGoodToken}), IsOk());
}

TEST_F(KeptTest, OfflineFilesComeFromTheHuggingFaceCache) {
  const std::string weights = RandomBytes(300'000, 7);
  Publish("acme/tiny", weights);
  HubOptions options = Options();
  options.metadata_folder = folder_ / "kept";
  const auto hub = MakeHub(options);
  const auto online = *Open(*hub, "acme/tiny");
  const FileInventory list = *online->List({});
  const FileEntry file = *list.Find("model.safetensors");
  const RepositoryRequest offline{.repo_id = "acme/tiny", .offline = true};
  EXPECT_THAT((*hub->Open(offline, {}))->Fetch(file, folder_ / "out", {}, {}),
              FailsWith(StatusCode::kUnavailable, "offline"));
  const std::string commit = *online->info().revision;
  folder_.Write("hf-cache/models--acme--tiny/snapshots/" + commit + "/model.safetensors", weights);
  const auto repository = *hub->Open(offline, {});
  EXPECT_EQ(repository->List({})->files.size(), 2u);  // the whole list, not what the cache has
  EXPECT_THAT(repository->Fetch(file, folder_ / "out", {}, {}), IsOk());
  EXPECT_EQ(folder_.Read("out"), weights);
}

}  // namespace
}  // namespace llmd::hub
