#include "shim/log_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temp_folder.h"

namespace llmd::shim {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempFolder;

constexpr LogWriter::Limits kSmall{
    .file_bytes = 100, .kept_files = 2, .last_lines = 3, .last_line_bytes = 10};

TEST(LogWriter, AppendsAndClosesTheFileToOthers) {
  TempFolder folder;
  folder.Write("logs/server.log", "before\n");
  LogWriter log(folder / "logs/server.log", {});
  ASSERT_TRUE(log.Open().ok());
  log.Write("after\n");
  EXPECT_EQ(folder.Read("logs/server.log"), "before\nafter\n");
  LogWriter fresh(folder / "new/server.log", {});
  ASSERT_TRUE(fresh.Open().ok());
  EXPECT_EQ(fs::status(folder / "new/server.log").permissions() & fs::perms::others_all,
            fs::perms::none);
}

TEST(LogWriter, RotatesAndKeepsAsManyAsItShould) {
  TempFolder folder;
  LogWriter log(folder / "server.log", kSmall);
  ASSERT_TRUE(log.Open().ok());
  for (char c = 'a'; c <= 'j'; ++c) log.Write(std::string(59, c) + "\n");
  EXPECT_EQ(folder.Read("server.log")[0], 'j');
  EXPECT_EQ(folder.Read("server.log.1")[0], 'i');
  EXPECT_EQ(folder.Read("server.log.2")[0], 'h');
  EXPECT_FALSE(fs::exists(folder / "server.log.3"));
  for (const char* name : {"server.log", "server.log.1", "server.log.2"}) {
    EXPECT_EQ(fs::file_size(folder / name), 60u) << name;
  }
}

TEST(LogWriter, WaitsForTheEndOfALineBeforeItRotates) {
  TempFolder folder;
  LogWriter log(folder / "server.log", kSmall);
  ASSERT_TRUE(log.Open().ok());
  log.Write(std::string(90, 'a'));
  log.Write(std::string(50, 'b') + "\n");
  EXPECT_EQ(fs::file_size(folder / "server.log"), 141u);
  log.Write("c\n");
  EXPECT_EQ(folder.Read("server.log"), "c\n");
}

TEST(LogWriter, ALineWithoutEndDoesNotGrowForEver) {
  TempFolder folder;
  LogWriter log(folder / "server.log", kSmall);
  ASSERT_TRUE(log.Open().ok());
  for (int i = 0; i < 1000; ++i) log.Write(std::string(1000, 'x'));
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    EXPECT_LT(entry.file_size(), 70u << 10) << entry.path();
  }
}

TEST(LogWriter, AnOldFileThatIsTooBigIsRotatedFirst) {
  TempFolder folder;
  folder.Write("server.log", std::string(500, 'o'));
  LogWriter log(folder / "server.log", kSmall);
  ASSERT_TRUE(log.Open().ok());
  log.Write("new\n");
  EXPECT_EQ(folder.Read("server.log"), "new\n");
  EXPECT_EQ(fs::file_size(folder / "server.log.1"), 500u);
}

TEST(LogWriter, RemembersTheLastLines) {
  TempFolder folder;
  LogWriter log(folder / "server.log", kSmall);
  ASSERT_TRUE(log.Open().ok());
  log.Write("1\n2\n3\n");
  log.Note("of our own");
  log.Write("0123456789abc\nunfinished");
  EXPECT_THAT(log.LastLines(), ElementsAre("3", "0123456789", "unfinished"));
}

TEST(LogWriter, NotesStandOnALineOfTheirOwn) {
  TempFolder folder;
  LogWriter log(folder / "server.log", {});
  ASSERT_TRUE(log.Open().ok());
  log.Note("first");
  log.Write("half");
  log.Note("second");
  log.Write("next\n");
  const std::string text = folder.Read("server.log");
  EXPECT_THAT(text, HasSubstr("] first\nhalf\n[llmd-shim "));
  EXPECT_THAT(text, HasSubstr("] second\nnext\n"));
}

TEST(LogWriter, WhatCannotBeWrittenIsCountedAndTheCallerGoesOn) {
  LogWriter log("/dev/full", {});
  ASSERT_TRUE(log.Open().ok());
  log.Write("lost\n");
  log.Write("lost too\n");
  EXPECT_THAT(log.LastLines(), ElementsAre("lost", "lost too"));
}

TEST(LogWriter, ALinkIsNotFollowed) {
  TempFolder folder;
  folder.Write("target", "precious");
  fs::create_symlink(folder / "target", folder / "server.log");
  LogWriter log(folder / "server.log", {});
  EXPECT_FALSE(log.Open().ok());
  EXPECT_EQ(folder.Read("target"), "precious");
}

}  // namespace
}  // namespace llmd::shim
