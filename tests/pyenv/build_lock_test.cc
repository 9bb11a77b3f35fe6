#include "pyenv/build_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/file.h>

#include "platform/process_launcher.h"
#include "platform/unix_socket.h"
#include "support/temp_folder.h"

namespace llmd::pyenv {
namespace {

class BuildLockTest : public ::testing::Test {
 protected:
  StatusOr<BuildLock> Take(const CancelToken& cancel = {},
                           const std::function<void(std::string_view)>& say = nullptr) {
    return BuildLock::Take(folder_.path(), say, cancel);
  }
  testing::TempFolder folder_;
};

TEST_F(BuildLockTest, IsGoneWithItsHolder) {
  {
    const StatusOr<BuildLock> lock = Take();
    ASSERT_TRUE(lock.ok()) << Message(lock.status());
    EXPECT_FALSE(std::filesystem::is_empty(folder_.path()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_TRUE(Take().ok());
}

TEST_F(BuildLockTest, ALeftFileThatNobodyHoldsIsNoHindrance) {
  folder_.Write(".environment.lock", "");
  EXPECT_TRUE(Take().ok());
}

TEST_F(BuildLockTest, WaitingForAHolderCanBeCancelled) {
  const StatusOr<BuildLock> holder = Take();
  ASSERT_TRUE(holder.ok());
  CancelSource source;
  int said = 0;
  const StatusOr<BuildLock> second = Take(source.token(), [&](std::string_view) {
    ++said;
    source.Cancel();
  });
  EXPECT_EQ(second.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(said, 1);
}

TEST_F(BuildLockTest, AProgramThatOutlivesItsBuilderIsWaitedFor) {
  const auto launcher = platform::MakeProcessLauncher();
  auto input = platform::MakePipe();
  std::unique_ptr<platform::Process> orphan;
  {
    // What a killed llmd leaves: the file, locked by the program that inherited it.
    FileDescriptor file(::open((folder_ / ".environment.lock").c_str(), O_RDWR | O_CREAT, 0600));
    ASSERT_EQ(::flock(file.get(), LOCK_EX), 0);
    auto started = launcher->Launch({.program = "/bin/cat",
                                     .arguments = {},
                                     .environment = {},
                                     .folder = "/",
                                     .descriptors = {{input->first.get(), 0}, {file.get(), 3}}});
    ASSERT_TRUE(started.ok()) << Message(started.status());
    orphan = std::move(*started);
  }
  bool waited = false;
  const StatusOr<BuildLock> lock = Take({}, [&](std::string_view) {
    waited = true;
    input->second.Close();  // cat ends
  });
  EXPECT_TRUE(lock.ok());
  EXPECT_TRUE(waited);
  EXPECT_EQ(orphan->Wait({})->code, 0);
}

}  // namespace
}  // namespace llmd::pyenv
