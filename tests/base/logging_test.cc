#include "base/logging.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json_reader.h"
#include "support/temp_folder.h"

namespace llmd {
namespace {

class LoggingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(InitLogging({.file = folder_ / "llmd.log", .to_stderr = false}).ok());
  }
  // The log is closed before its folder goes.
  void TearDown() override { ASSERT_TRUE(InitLogging({.to_stderr = false}).ok()); }

  std::vector<nlohmann::json> Lines() {
    FlushLogs();
    std::istringstream text(folder_.Read("llmd.log"));
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(text, line);) {
      auto json = ParseJson(line, "llmd.log");
      EXPECT_TRUE(json.ok()) << line << json.status();
      if (json.ok()) lines.push_back(*std::move(json));
    }
    return lines;
  }
  testing::TempFolder folder_;
};

TEST_F(LoggingTest, ALineIsOneJsonObject) {
  Log("jobs").Info("job begins", {{"job", "abc"}, {"model", "a/b"}});
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["level"], "INFO");
  EXPECT_EQ(lines[0]["module"], "jobs");
  EXPECT_EQ(lines[0]["msg"], "job begins");
  EXPECT_EQ(lines[0]["job"], "abc");
  EXPECT_EQ(lines[0]["ts"].get<std::string>().size(), 27u);
}

TEST_F(LoggingTest, LevelsBelowTheWantedOneAreDropped) {
  Log("x").Debug("no");
  Log("x").Warn("yes");
  Log("x").Error("too");
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["level"], "WARN");
  EXPECT_EQ(lines[1]["level"], "ERROR");
}

TEST_F(LoggingTest, HostileTextStaysOneReadableLine) {
  using std::string_literals::operator""s;
  Log("x").Info("a\"b\\c\nd\te\x1b[31m\x7f"s + "\0f"s, {{"k\"", "{}\r\n"}});
  Log("x").Info("\xFF\xC0\xAF cut \xE2\x82", {{"grüße", "你好"}});
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["msg"], "a\"b\\c\nd\te\x1b[31m\x7f"s + "\0f"s);
  EXPECT_EQ(lines[0]["k\""], "{}\r\n");
  EXPECT_EQ(lines[1]["msg"], "\uFFFD\uFFFD\uFFFD cut \uFFFD\uFFFD");
  EXPECT_EQ(lines[1]["grüße"], "你好");
}

TEST_F(LoggingTest, AFileThatCannotBeOpenedIsAnError) {
  folder_.Write("file", "");
  EXPECT_FALSE(InitLogging({.file = folder_ / "file" / "llmd.log", .to_stderr = false}).ok());
}

}  // namespace
}  // namespace llmd
