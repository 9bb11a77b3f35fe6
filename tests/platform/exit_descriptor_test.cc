#include "platform/exit_descriptor.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace llmd::platform {
namespace {

bool Readable(int fd, int timeout_ms) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, timeout_ms) == 1;
}

pid_t StartSleeper() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execl("/bin/sleep", "sleep", "1000", nullptr);
    ::_exit(127);
  }
  return pid;
}

TEST(ExitDescriptor, BecomesReadableAtTheEnd) {
  const pid_t pid = StartSleeper();
  auto fd = OpenExitDescriptor(pid);
  ASSERT_TRUE(fd.ok()) << Message(fd.status());
  EXPECT_FALSE(Readable(fd->get(), 0));
  ::kill(pid, SIGKILL);
  EXPECT_TRUE(Readable(fd->get(), -1));
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST(ExitDescriptor, OfAZombieIsReadableAtOnceAndOfNobodyIsAnError) {
  const pid_t pid = StartSleeper();
  ::kill(pid, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  auto fd = OpenExitDescriptor(pid);
  ASSERT_TRUE(fd.ok());
  EXPECT_TRUE(Readable(fd->get(), 0));
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  EXPECT_EQ(OpenExitDescriptor(pid).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace llmd::platform
