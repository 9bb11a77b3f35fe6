#include "platform/paths.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>

#include "base/hash.h"
#include "platform/unix_socket.h"
#include "support/temp_folder.h"

namespace llmd::platform {
namespace {

namespace fs = std::filesystem;
using testing::TempFolder;

class Paths : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const auto& [name, value] : saved_) Put(name, value);
  }
  // Until the end of the test; nullopt takes it away.
  void SetVariable(const char* name, std::optional<std::string> value) {
    const char* old = ::getenv(name);
    saved_.emplace(name, old ? std::optional<std::string>(old) : std::nullopt);
    Put(name, value);
  }

 private:
  static void Put(const std::string& name, const std::optional<std::string>& value) {
    if (value) {
      ::setenv(name.c_str(), value->c_str(), 1);
    } else {
      ::unsetenv(name.c_str());
    }
  }
  std::map<std::string, std::optional<std::string>> saved_;
};

TEST_F(Paths, HomeIsTheFlagElseTheVariableElseBelowTheUsersHome) {
  SetVariable("LLMD_HOME", "/from/variable");
  SetVariable("HOME", "/users/me");
  EXPECT_EQ(ResolveHome("/from/flag")->home, "/from/flag");
  EXPECT_EQ(ResolveHome("")->home, "/from/variable");
  SetVariable("LLMD_HOME", "");
  EXPECT_EQ(ResolveHome("")->home, "/users/me/LLM");
  SetVariable("HOME", std::nullopt);
  EXPECT_EQ(GetErrorInfo(ResolveHome("").status()).code, "no_home");
}

TEST_F(Paths, HomeIsAbsoluteAndOneNameStandsForIt) {
  EXPECT_EQ(ResolveHome("some/where")->home, fs::current_path() / "some/where");
  EXPECT_EQ(ResolveHome("/a/./b/../c/")->home, "/a/c");
  EXPECT_EQ(ResolveHome("/")->home, "/");
}

TEST_F(Paths, SocketsLieInRunWhereTheyFit) {
  const HomePaths paths{"/home/me/LLM"};
  EXPECT_EQ(paths.socket_dir(), "/home/me/LLM/run");
  EXPECT_EQ(paths.control_socket(), "/home/me/LLM/run/llmd.sock");
}

TEST_F(Paths, SocketsMoveWhereTheLongestWouldNotFit) {
  TempFolder runtime;
  SetVariable("XDG_RUNTIME_DIR", runtime.path().string());
  const std::string longest = "/run/servers/0123456789ab/shim.sock";
  const HomePaths fits{"/" + std::string(MaxSocketPath() - longest.size() - 1, 'h')};
  EXPECT_EQ(fits.socket_dir(), fits.run());
  const HomePaths too_long{fits.home.string() + "h"};
  EXPECT_EQ(too_long.socket_dir(),
            runtime.path() / ("llmd-" + Sha256Hex(too_long.home.string()).substr(0, 12)));
  const HomePaths other{too_long.home.string() + "i"};
  EXPECT_NE(other.socket_dir(), too_long.socket_dir());
}

TEST_F(Paths, WithoutARuntimeFolderTheTemporaryOneIsUsed) {
  const HomePaths paths{"/" + std::string(200, 'h')};
  TempFolder temporary;
  SetVariable("TMPDIR", temporary.path().string());
  for (const auto& runtime : {std::optional<std::string>(), std::optional<std::string>("relative"),
                              std::optional<std::string>("/no/such/folder")}) {
    SetVariable("XDG_RUNTIME_DIR", runtime);
    EXPECT_EQ(paths.socket_dir().parent_path(), temporary.path());
  }
  SetVariable("TMPDIR", "/" + std::string(100, 't'));
  EXPECT_EQ(paths.socket_dir().parent_path(), "/tmp");
}

TEST_F(Paths, CreateHomeMakesAllFoldersAndClosesRun) {
  TempFolder folder;
  TempFolder runtime;
  SetVariable("XDG_RUNTIME_DIR", runtime.path().string());
  const HomePaths paths{folder.path() / std::string(120, 'h')};
  ASSERT_TRUE(CreateHome(paths).ok());
  ASSERT_TRUE(CreateHome(paths).ok());
  for (const fs::path& made : {paths.models(), paths.staging(), paths.cache(), paths.rules(),
                               paths.logs(), paths.run(), paths.servers(), paths.socket_dir()}) {
    EXPECT_TRUE(fs::is_directory(made)) << made;
  }
  for (const fs::path& closed : {paths.run(), paths.socket_dir()}) {
    EXPECT_EQ(fs::status(closed).permissions(), fs::perms::owner_all) << closed;
  }
  EXPECT_TRUE(ListenUnix(paths.control_socket(), 1).ok());
}

TEST_F(Paths, DataAndProgramsAreFoundFromTheProgram) {
  EXPECT_EQ(ProgramPath().filename(), "platform_test");
  EXPECT_EQ(*FindProgram("platform_test"), ProgramPath());
  EXPECT_EQ(GetErrorInfo(FindProgram("no-such-program").status()).code, "program_missing");
  TempFolder data;
  SetVariable("LLMD_DATA_DIR", data.path().string());
  EXPECT_EQ(*FindDataDir(), data.path());
  SetVariable("LLMD_DATA_DIR", (data / "none").string());
  EXPECT_EQ(GetErrorInfo(FindDataDir().status()).code, "data_files_missing");
}

}  // namespace
}  // namespace llmd::platform
