#include "supervisor/server_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "domain/names.h"
#include "platform/private_folder.h"
#include "support/temp_folder.h"

namespace llmd::supervisor {
namespace {

namespace fs = std::filesystem;
using testing::TempFolder;

TEST(ServerFolder, IsNamedAfterTheModelsFolder) {
  const SupervisorOptions options{.servers_dir = "/h/run/servers", .sockets_dir = "/s/servers"};
  const ServerFolder folder = FolderOf(options, "org_name");
  EXPECT_EQ(folder.files.state(), "/h/run/servers/" + ServerIdFor("org_name") + "/state.json");
  EXPECT_EQ(folder.api_socket(), "/s/servers/" + ServerIdFor("org_name") + "/api.sock");
}

TEST(ServerFolder, PrepareEmptiesItAndClosesIt) {
  TempFolder home;
  const SupervisorOptions options{.servers_dir = home / "servers", .sockets_dir = home / "sockets"};
  const ServerFolder folder = FolderOf(options, "m");
  ASSERT_TRUE(folder.Prepare().ok());
  home.Write("servers/" + ServerIdFor("m") + "/exit.json", "old");
  ASSERT_TRUE(folder.Prepare().ok());
  EXPECT_TRUE(fs::is_empty(folder.files.folder));
  EXPECT_TRUE(platform::CheckPrivateFolder(folder.files.folder).ok());
  EXPECT_TRUE(platform::CheckPrivateFolder(folder.sockets).ok());
  EXPECT_TRUE(platform::CheckPrivateFolder(folder.sockets.parent_path()).ok());
  folder.Remove();
  EXPECT_FALSE(fs::exists(folder.files.folder));
  EXPECT_FALSE(fs::exists(folder.sockets));
}

TEST(ServerFolder, ExistingFoldersAreThoseWithAnId) {
  TempFolder home;
  const SupervisorOptions options{.servers_dir = home / "s", .sockets_dir = home / "s"};
  EXPECT_TRUE(ExistingFolders(options).empty());
  home.Write("s/0123456789ab/state.json", "");
  home.Write("s/notes.txt", "");
  home.Write("s/0123456789abc/x", "");
  home.Write("s/0123456789AB/x", "");
  const auto folders = ExistingFolders(options);
  ASSERT_EQ(folders.size(), 1u);
  EXPECT_EQ(folders[0].files.folder, home / "s/0123456789ab");
}

TEST(MakeShimSpec, HoldsTheEnvironmentOfAModelServer) {
  ::setenv("HF_TOKEN", "planted", 1);
  ServerSpec spec{.model = "org/name",
                  .folder_name = "org_name",
                  .folder = "/models/org_name",
                  .launch = {.engine = "e",
                             .bind = "unix",
                             .environment = {{"OMP_X", "1"}, {"LLMD_READY_FD", "99"}},
                             .ready_timeout_seconds = 5},
                  .threads = 3,
                  .reserved_bytes = 9};
  const platform::ShimSpec shim = MakeShimSpec(
      spec, FolderOf({.servers_dir = "/s", .sockets_dir = "/s"}, "org_name"), "token", WallTime{});
  ::unsetenv("HF_TOKEN");
  EXPECT_EQ(shim.program, "/models/org_name/start.sh");
  EXPECT_EQ(shim.log, "/models/org_name/logs/server.log");
  EXPECT_EQ(shim.bind, "unix");
  EXPECT_EQ(shim.environment.at("LLMD_THREADS"), "3");
  EXPECT_EQ(shim.environment.at("HF_HUB_OFFLINE"), "1");
  EXPECT_EQ(shim.environment.at("TRANSFORMERS_OFFLINE"), "1");
  EXPECT_EQ(shim.environment.at("PYTHONNOUSERSITE"), "1");
  EXPECT_EQ(shim.environment.at("OMP_X"), "1");
  EXPECT_FALSE(shim.environment.contains("LLMD_READY_FD"));
  EXPECT_FALSE(shim.environment.contains("HF_TOKEN"));
  EXPECT_TRUE(platform::ParseShimSpec(ToJson(shim)).ok());
}

}  // namespace
}  // namespace llmd::supervisor
