#include "supervisor/adoption.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "domain/names.h"
#include "support/temp_folder.h"

namespace llmd::supervisor {
namespace {

platform::ShimState State() {
  return {.model = "org/name",
          .folder_name = "org_name",
          .engine = "e",
          .boot_id = "this-boot",
          .shim = {.pid = 100, .start_ticks = 5000},
          .server = {.pid = 101, .start_ticks = 5001},
          .token = "t"};
}

const platform::ProcessInfo kShim{.pid = 100, .state = 'S', .start_ticks = 5000};

FoundServer Found() {
  FoundServer found;
  found.state = State();
  return found;
}

TEST(Judge, AllThreeAgree) { EXPECT_EQ(Judge(Found(), "this-boot", kShim), Verdict::kCandidate); }

TEST(Judge, NoState) { EXPECT_EQ(Judge(FoundServer{}, "this-boot", kShim), Verdict::kNothing); }

TEST(Judge, AnotherBoot) { EXPECT_EQ(Judge(Found(), "other-boot", kShim), Verdict::kRebooted); }

TEST(Judge, AnotherProcessHasThePid) {
  platform::ProcessInfo other = kShim;
  other.start_ticks = 9999;
  EXPECT_EQ(Judge(Found(), "this-boot", other), Verdict::kShimGone);
}

TEST(Judge, NobodyHasThePidOrAZombie) {
  EXPECT_EQ(Judge(Found(), "this-boot", std::nullopt), Verdict::kShimGone);
  platform::ProcessInfo zombie = kShim;
  zombie.state = 'Z';
  EXPECT_EQ(Judge(Found(), "this-boot", zombie), Verdict::kShimGone);
}

TEST(Judge, AnEndThatIsWrittenCounts) {
  FoundServer found = Found();
  found.exit = platform::ShimExit{.exit_code = 1};
  EXPECT_EQ(Judge(found, "this-boot", kShim), Verdict::kEnded);
  EXPECT_EQ(Judge(found, "other-boot", std::nullopt), Verdict::kEnded);
}

TEST(Judge, OddPidsAreNoCandidates) {
  for (const int pid : {-1, 0, 1}) {
    FoundServer found = Found();
    found.state->shim.pid = pid;
    platform::ProcessInfo shim = kShim;
    shim.pid = pid;
    EXPECT_EQ(Judge(found, "this-boot", shim), Verdict::kShimGone) << pid;
  }
}

class ReadServerTest : public ::testing::Test {
 protected:
  void SetUp() override { folder_ = {.files = {home_ / id_}, .sockets = home_ / id_}; }
  void Write(const std::string& name, const std::string& content) {
    home_.Write(id_ + "/" + name, content);
  }
  std::string Spec() {
    return platform::ToJson({.model = "org/name",
                             .folder_name = "org_name",
                             .folder = "/m",
                             .bind = "unix",
                             .program = "/m/start.sh",
                             .log = "/m/log",
                             .shim_socket = "/s",
                             .api_socket = "/a",
                             .token = "t",
                             .reserved_bytes = 7});
  }

  testing::TempFolder home_;
  const std::string id_ = ServerIdFor("org_name");
  ServerFolder folder_;
};

TEST_F(ReadServerTest, ReadsAllThree) {
  platform::ShimState state = State();
  state.spec_sha256 = Sha256Hex(Spec());
  Write("spec.json", Spec());
  Write("state.json", ToJson(state));
  Write("exit.json", ToJson(platform::ShimExit{.exit_code = 3}));
  const FoundServer found = ReadServer(folder_);
  ASSERT_TRUE(found.spec && found.state && found.exit);
  EXPECT_EQ(found.spec->reserved_bytes, 7);
  EXPECT_EQ(found.exit->exit_code, 3);
}

TEST_F(ReadServerTest, ASpecThatDoesNotBelongToTheStateIsLeftOut) {
  Write("spec.json", Spec());
  Write("state.json", ToJson(State()));
  const FoundServer found = ReadServer(folder_);
  EXPECT_TRUE(found.state);
  EXPECT_FALSE(found.spec);
}

TEST_F(ReadServerTest, BrokenFilesAreLeftOut) {
  Write("spec.json", "{");
  Write("state.json", "\xff\xfe");
  Write("exit.json", "[]");
  const FoundServer found = ReadServer(folder_);
  EXPECT_FALSE(found.spec || found.state || found.exit);
}

TEST_F(ReadServerTest, AStateOfAnotherFolderIsLeftOut) {
  platform::ShimState state = State();
  state.folder_name = "org_other";
  Write("state.json", ToJson(state));
  EXPECT_FALSE(ReadServer(folder_).state);
}

}  // namespace
}  // namespace llmd::supervisor
