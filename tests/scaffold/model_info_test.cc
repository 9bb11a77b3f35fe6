#include "scaffold/model_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scaffold/sample_info.h"

namespace llmd::scaffold {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::SampleInfo;

StatusOr<ModelInfo> RoundTrip(const ModelInfo& info) {
  LLMD_ASSIGN_OR_RETURN(const std::string text, FormatModelInfo(info));
  return ParseModelInfo(text, "model_info.json");
}

// What ParseModelInfo says of the sample after `change`.
Status AfterChange(const std::function<void(json&)>& change) {
  json object = json::parse(*FormatModelInfo(SampleInfo()));
  change(object);
  return ParseModelInfo(object.dump(), "model_info.json").status();
}

TEST(ModelInfoTest, KeepsEveryField) {
  const ModelInfo sample = SampleInfo();
  const StatusOr<ModelInfo> read = RoundTrip(sample);
  ASSERT_TRUE(read.ok()) << Message(read.status());
  EXPECT_EQ(read->name, sample.name);
  EXPECT_EQ(read->folder_name, sample.folder_name);
  EXPECT_EQ(read->environment_hash, sample.environment_hash);
  EXPECT_EQ(read->lock_sha256, sample.lock_sha256);
  EXPECT_EQ(read->python_version, sample.python_version);
  EXPECT_EQ(read->agent_wheel_sha256, sample.agent_wheel_sha256);
  EXPECT_EQ(read->memory_bytes, sample.memory_bytes);
  EXPECT_EQ(read->installed_at, sample.installed_at);
  EXPECT_EQ(read->llmd_version, sample.llmd_version);
  ASSERT_EQ(read->files.size(), 2u);
  EXPECT_EQ(read->files[1].path, "sub/b.json");
  EXPECT_EQ(read->files[0].size, 5);
  EXPECT_EQ(read->files[0].sha256, sample.files[0].sha256);
  EXPECT_EQ(ProfileToJson(read->profile), ProfileToJson(sample.profile));
  EXPECT_EQ(LaunchToJson(read->launch), LaunchToJson(sample.launch));
}

TEST(ModelInfoTest, HasTheNamesThatTheAgentReads) {
  const json object = json::parse(*FormatModelInfo(SampleInfo()));
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("environment", "files", "folder", "installed_at", "launch",
                                 "llmd_version", "memory_bytes", "name", "profile", "schema"));
  EXPECT_EQ(object["schema"], 1);
  EXPECT_EQ(object["installed_at"], "2026-01-31T12:00:00.123456Z");
  EXPECT_EQ(object["files"][0].size(), 3u);
  EXPECT_EQ(object["environment"].size(), 4u);
}

TEST(ModelInfoTest, HostileTextComesBackByteForByte) {
  for (const std::string& text : testing::HostileTexts()) {
    ModelInfo info = SampleInfo();
    info.name = info.profile.repo_id = info.launch.name = text;
    info.profile.architecture = text;
    info.launch.argv = {text};
    info.launch.environment = {{text, text}};
    const StatusOr<ModelInfo> read = RoundTrip(info);
    ASSERT_TRUE(read.ok()) << text << Message(read.status());
    EXPECT_EQ(read->name, text);
    EXPECT_EQ(read->profile.architecture, text);
    EXPECT_EQ(read->launch.argv[0], text);
    EXPECT_EQ(read->launch.environment.at(text), text);
  }
}

TEST(ModelInfoTest, TextThatIsNotUtf8IsRefused) {
  ModelInfo info = SampleInfo();
  info.profile.architecture = "\xff\xfe";
  EXPECT_EQ(GetErrorInfo(FormatModelInfo(info).status()).code, "not_utf8");
}

TEST(ModelInfoTest, DamageIsNamed) {
  for (const char* text : {"", "{", "[]", "{}", "null", "{\"schema\": \"1\"}", "{\"schema\": 1}"}) {
    const Status status = ParseModelInfo(text, "here/model_info.json").status();
    EXPECT_EQ(GetErrorInfo(status).code, "broken_model_info") << text;
    EXPECT_THAT(Message(status), HasSubstr("here/model_info.json")) << text;
  }
  const std::function<void(json&)> changes[] = {
      [](json& o) { o["name"] = ""; },
      [](json& o) { o["name"] = 3; },
      [](json& o) { o.erase("profile"); },
      [](json& o) { o["launch"] = json::array(); },
      [](json& o) { o["installed_at"] = "yesterday"; },
      [](json& o) { o["schema"] = 0; },
      [](json& o) { o["files"] = 3; },
      [](json& o) { o["files"][0]["sha256"] = "short"; },
      [](json& o) { o["files"][0]["size"] = -1; },
      [](json& o) { o["files"][0]["path"] = "../up"; },
      [](json& o) { o["files"][0]["path"] = "/etc/passwd"; },
      [](json& o) { o["launch"]["weights"] = "/etc"; },
      [](json& o) { o["launch"]["weights"] = "model/../../x"; },
      [](json& o) { o["launch"]["weights"] = "modelx"; },
  };
  for (const auto& change : changes) {
    const Status status = AfterChange(change);
    EXPECT_EQ(GetErrorInfo(status).code, "broken_model_info") << Message(status);
  }
  EXPECT_TRUE(AfterChange([](json&) {}).ok());
}

TEST(ModelInfoTest, OneFromANewerLlmdIsSaidToBe) {
  const Status status = AfterChange([](json& o) { o["schema"] = 2; });
  EXPECT_EQ(GetErrorInfo(status).code, "newer_model_info");
}

TEST(ModelInfoTest, FieldsOfALaterVersionAreNoHindrance) {
  EXPECT_TRUE(AfterChange([](json& o) { o["more"] = {{"x", 1}}; }).ok());
}

TEST(ModelInfoTest, MoreFilesThanOrdinaryJsonHoldsFit) {
  ModelInfo info = SampleInfo();
  info.files.clear();
  for (int i = 0; i < 52'000; ++i) {
    info.files.push_back({.path = fmt::format("folder/file-{}.bin", i),
                          .size = i,
                          .sha256 = std::string(64, 'b'),
                          .git_oid = ""});
  }
  const StatusOr<ModelInfo> read = RoundTrip(info);
  ASSERT_TRUE(read.ok()) << Message(read.status());
  EXPECT_EQ(read->files.size(), info.files.size());
}

}  // namespace
}  // namespace llmd::scaffold
