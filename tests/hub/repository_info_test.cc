#include "hub/repository_info.h"

#include <nlohmann/json.hpp>

#include "hub/status_matchers.h"

namespace llmd::hub {
namespace {

using ::llmd::testing::FailsWith;
using ::llmd::testing::IsOk;
using nlohmann::json;
using ::testing::ElementsAre;

const std::string kSha(40, 'a');

json Page(const std::string& path) {
  return json::array({{{"type", "file"}, {"path", path}, {"size", 1}, {"oid", kSha}}});
}

TEST(ParseModelInfo, ReadsWhatWeUse) {
  const json object = {{"id", "acme/tiny"},
                       {"sha", kSha},
                       {"gated", "manual"},
                       {"private", true},
                       {"tags", {"text-generation", "license:mit", 7}},
                       {"pipeline_tag", "text-generation"},
                       {"library_name", "transformers"},
                       {"cardData", {{"license", "apache-2.0"}, {"base_model", {"a/b", "c/d"}}}}};
  const auto info = ParseModelInfo(object, "acme/tiny");
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->repo_id, "acme/tiny");
  EXPECT_EQ(info->revision, kSha);
  EXPECT_TRUE(info->gated);
  EXPECT_TRUE(info->is_private);
  EXPECT_THAT(info->tags, ElementsAre("text-generation", "license:mit"));
  EXPECT_EQ(info->license, "apache-2.0");
  EXPECT_EQ(info->base_model, "a/b");
}

TEST(ParseModelInfo, FallsBackToTags) {
  const auto info = ParseModelInfo(
      {{"sha", kSha}, {"gated", false}, {"tags", {"license:mit", "base_model:a/b"}}}, "acme/tiny");
  ASSERT_THAT(info, IsOk());
  EXPECT_FALSE(info->gated);
  EXPECT_EQ(info->license, "mit");
  EXPECT_EQ(info->base_model, "a/b");
}

TEST(ParseModelInfo, RefusesWhatNamesNoCommit) {
  for (const json& object :
       {json(), json::array(), json("x"), json::object(), json{{"sha", 5}}, json{{"sha", "main"}},
        json{{"sha", std::string(40, 'A')}}, json{{"sha", "../../../../../../../etc/passwd"}}}) {
    EXPECT_THAT(ParseModelInfo(object, "acme/tiny"),
                FailsWith(StatusCode::kUnavailable, "hub_error"))
        << object;
  }
}

TEST(ParseModelInfo, DisabledIsSaid) {
  EXPECT_THAT(ParseModelInfo({{"sha", kSha}, {"disabled", true}}, "acme/tiny"),
              FailsWith(StatusCode::kPermissionDenied, "repository_disabled"));
}

TEST(ParseModelInfo, WrongTypesAndHugeWordsAreLeftOut) {
  const json object = {{"sha", kSha},
                       {"id", "../../evil"},
                       {"tags", "no list"},
                       {"pipeline_tag", {{"a", 1}}},
                       {"library_name", std::string(100'000, 'x')},
                       {"cardData", json::array({1, 2})},
                       {"gated", json::array()}};
  const auto info = ParseModelInfo(object, "acme/tiny");
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->repo_id, "acme/tiny");
  EXPECT_TRUE(info->tags.empty());
  EXPECT_EQ(info->pipeline_tag, std::nullopt);
  EXPECT_EQ(info->library_name, std::nullopt);
}

TEST(AppendTreePage, TakesTheRealSizeAndHashOfLargeFiles) {
  const std::string sha256(64, 'b');
  std::vector<FileEntry> files;
  ASSERT_THAT(
      AppendTreePage(
          json::array({{{"type", "directory"}, {"path", "onnx"}, {"oid", kSha}},
                       {{"type", "file"},
                        {"path", "m.bin"},
                        {"size", 134},
                        {"oid", kSha},
                        {"lfs", {{"oid", sha256}, {"size", 5000}}}},
                       {{"type", "file"}, {"path", "config.json"}, {"size", 2}, {"oid", kSha}}}),
          files),
      IsOk());
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].size, 5000);
  EXPECT_EQ(files[0].sha256, sha256);
  EXPECT_EQ(files[0].git_oid, "");
  EXPECT_EQ(files[1].git_oid, kSha);
}

TEST(AppendTreePage, RefusesEntriesThatMakeNoSense) {
  for (const json& page :
       {json(), json::object(), json::array({1}), json::array({{{"type", "file"}, {"path", "a"}}}),
        json::array({{{"type", "file"}, {"path", "a"}, {"size", -1}}}),
        json::array({{{"type", "file"}, {"path", "a"}, {"size", 1.5}}}),
        json::array({{{"type", "file"}, {"path", "a"}, {"size", "1"}}}),
        json::array({{{"type", "file"}, {"path", "a"}, {"size", 18446744073709551615u}}})}) {
    std::vector<FileEntry> files;
    EXPECT_THAT(AppendTreePage(page, files), FailsWith(StatusCode::kUnavailable, "hub_error"))
        << page;
  }
}

TEST(AppendTreePage, RefusesUnsafeNames) {
  for (const char* path : {"../x", "/etc/passwd", "a/../../x", "C:x", "a\\b", "", "a//b", "./a",
                           "nul", "a\nb", "a ", "\\\\host\\share"}) {
    std::vector<FileEntry> files;
    EXPECT_THAT(AppendTreePage(Page(path), files),
                FailsWith(StatusCode::kInvalidArgument, "unsafe_path"))
        << path;
  }
}

TEST(MakeInventory, SortsAndRefusesNamesThatCannotBeTogether) {
  const auto inventory = MakeInventory({{.path = "b"}, {.path = "a/c"}, {.path = "a-b"}});
  ASSERT_THAT(inventory, IsOk());
  EXPECT_EQ(inventory->files.front().path, "a-b");
  EXPECT_THAT(MakeInventory({{.path = "a"}, {.path = "a"}}),
              FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
  EXPECT_THAT(MakeInventory({{.path = "a/b/c"}, {.path = "a/b"}, {.path = "a-"}}),
              FailsWith(StatusCode::kInvalidArgument, "unsafe_path"));
}

}  // namespace
}  // namespace llmd::hub
