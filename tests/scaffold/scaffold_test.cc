#include "scaffold/scaffold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/yaml_reader.h"
#include "scaffold/sample_info.h"
#include "support/temp_folder.h"

namespace llmd::scaffold {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::SampleInfo;

const fs::path kTemplates = fs::path(LLMD_SOURCE_DIR) / "daemon/scaffold/templates";

class ScaffoldTest : public ::testing::Test {
 protected:
  Status Write(const ModelInfo& info, const std::vector<std::string>& extra = {}) {
    return WriteModelFolder(folder_.path(), kTemplates, info, extra);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (!entry.is_directory()) files.push_back(fs::relative(entry.path(), folder_.path()));
    }
    std::ranges::sort(files);
    return files;
  }
  testing::TempFolder folder_;
};

TEST_F(ScaffoldTest, WritesTheFolder) {
  ASSERT_TRUE(Write(SampleInfo()).ok());
  EXPECT_THAT(Files(),
              ElementsAre("config.yaml", "model_info.json", "scripts/infer.py",
                          "scripts/serve_api.sh", "scripts/serve_ui.sh", "start.sh", "train.sh"));
  EXPECT_TRUE(fs::is_directory(folder_ / "logs"));
  for (const char* script : {"start.sh", "train.sh", "scripts/serve_api.sh", "scripts/infer.py"}) {
    EXPECT_EQ(fs::status(folder_ / script).permissions() & fs::perms::owner_exec,
              fs::perms::owner_exec)
        << script;
  }
  const StatusOr<ModelInfo> info = ReadModelInfo(folder_.path());
  ASSERT_TRUE(info.ok()) << Message(info.status());
  EXPECT_EQ(info->name, "org/model");
}

TEST_F(ScaffoldTest, AddsTheHandlersScripts) {
  ASSERT_TRUE(Write(SampleInfo(), {"serve_tensorrt.sh", "optimize_model.sh"}).ok());
  EXPECT_THAT(Files(),
              ::testing::IsSupersetOf({"scripts/serve_tensorrt.sh", "scripts/optimize_model.sh"}));
}

TEST_F(ScaffoldTest, EveryScriptThatAHandlerNamesIsThere) {
  std::set<std::string> named;
  for (const auto& entry :
       fs::directory_iterator(fs::path(LLMD_SOURCE_DIR) / "daemon/handlers/profiles")) {
    const StatusOr<YamlNode> handler = ReadYamlFile(entry.path());
    ASSERT_TRUE(handler.ok()) << Message(handler.status());
    const YamlNode* scripts = handler->Find("scripts");
    if (scripts == nullptr) continue;
    for (const YamlNode& script : scripts->items) {
      const YamlNode* name = script.IsMap() ? script.Find("name") : &script;
      ASSERT_NE(name, nullptr) << entry.path();
      named.insert(name->scalar);
    }
  }
  EXPECT_THAT(named, ::testing::Not(::testing::IsEmpty()));
  const Status status = Write(SampleInfo(), {named.begin(), named.end()});
  EXPECT_TRUE(status.ok()) << Message(status);
}

TEST_F(ScaffoldTest, AScriptThatIsNoTemplateIsRefusedAndNothingIsWhole) {
  for (const char* name : {"../config.yaml", "/etc/passwd", "", ".", "..", "no_such.sh", "start.sh",
                           "serve_api.sh", "a b.sh"}) {
    const Status status = Write(SampleInfo(), {name});
    EXPECT_EQ(GetErrorInfo(status).code, "unknown_script") << name;
    EXPECT_FALSE(fs::exists(folder_ / "model_info.json")) << name;
  }
}

TEST_F(ScaffoldTest, ThePersonsConfigIsLeftAlone) {
  folder_.Write("config.yaml", "schema: 1\ncontext: 512\n");
  ASSERT_TRUE(Write(SampleInfo()).ok());
  EXPECT_EQ(folder_.Read("config.yaml"), "schema: 1\ncontext: 512\n");
}

TEST_F(ScaffoldTest, ModelInfoComesLast) {
  fs::create_directories(folder_ / "scripts/infer.py/in the way");
  EXPECT_FALSE(Write(SampleInfo()).ok());
  EXPECT_FALSE(fs::exists(folder_ / "model_info.json"));
  fs::remove_all(folder_ / "scripts");
  EXPECT_TRUE(Write(SampleInfo()).ok());
  EXPECT_TRUE(Write(SampleInfo()).ok());  // over a whole one
  EXPECT_EQ(Files().size(), 7u);
}

TEST_F(ScaffoldTest, NoTextOfTheModelGetsIntoAScript) {
  std::string text;
  for (const std::string& hostile : testing::HostileTexts()) text += hostile;
  ModelInfo info = SampleInfo();
  info.name = info.folder_name = info.profile.repo_id = info.launch.name = text;
  info.launch.argv = {text};
  info.profile.kind = info.launch.kind = text;
  ASSERT_TRUE(Write(info).ok());
  for (const std::string& file : Files()) {
    if (file == "model_info.json") continue;
    std::ifstream original(kTemplates / fs::path(file).filename(), std::ios::binary);
    const std::string expected{std::istreambuf_iterator<char>(original), {}};
    EXPECT_EQ(folder_.Read(file), expected) << file;
  }
}

TEST_F(ScaffoldTest, ConfigHasEveryKeyAtAuto) {
  const StatusOr<YamlNode> config = ReadYamlFile(kTemplates / "config.yaml");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  std::vector<std::string> keys;
  for (const auto& [key, value] : config->entries) {
    keys.push_back(key);
    if (key == "options") continue;
    EXPECT_EQ(value.scalar, key == "schema" ? "1" : "auto") << key;
  }
  EXPECT_THAT(keys,
              ElementsAre("schema", "engine", "variant", "quantization", "dtype", "context",
                          "parallel", "device", "threads", "memory_limit", "idle", "options"));
}

TEST_F(ScaffoldTest, AFolderWithoutModelInfoIsNotFound) {
  EXPECT_EQ(ReadModelInfo(folder_.path()).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace llmd::scaffold
