#include "platform/process_launcher.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/file.h"
#include "platform/process_table.h"
#include "platform/unix_socket.h"
#include "support/processes.h"
#include "support/temp_folder.h"

namespace llmd::platform {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::IsGone;
using testing::OpenDescriptors;
using testing::TempFolder;

ProcessSpec Shell(std::string script) {
  return {.program = "/bin/sh",
          .arguments = {"-c", std::move(script)},
          .environment = {{"PATH", "/usr/bin:/bin"}}};
}

class Launcher : public ::testing::Test {
 protected:
  StatusOr<ProcessExit> Run(const ProcessSpec& spec, const CancelToken& cancel = {}) {
    RunOptions options = options_;
    options.on_line = [this](std::string_view line) {
      lines_.emplace_back(line);
      if (on_line_) on_line_(line);
    };
    return launcher_->Run(spec, options, cancel);
  }

  std::unique_ptr<ProcessLauncher> launcher_ = MakeProcessLauncher();
  RunOptions options_;
  std::vector<std::string> lines_;
  std::function<void(std::string_view)> on_line_;
};

TEST_F(Launcher, RunGivesLinesOfBothStreamsAndTheExitCode) {
  const auto exit = Run(Shell("echo out; echo err >&2; printf rest; exit 3"));
  ASSERT_TRUE(exit.ok()) << Message(exit.status());
  EXPECT_EQ(exit->code, 3);
  EXPECT_EQ(exit->signal, 0);
  EXPECT_THAT(lines_, ElementsAre("out", "err", "rest"));
}

TEST_F(Launcher, RunTellsASignal) {
  const auto exit = Run(Shell("kill -9 $$"));
  ASSERT_TRUE(exit.ok());
  EXPECT_EQ(exit->code, -1);
  EXPECT_EQ(exit->signal, SIGKILL);
}

TEST_F(Launcher, AMissingProgramIsNotFound) {
  EXPECT_EQ(Run({.program = "/no/such/program"}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(launcher_->Launch({.program = "/no/such/program"}).status().code(),
            StatusCode::kNotFound);
}

TEST_F(Launcher, NulBytesAreRefused) {
  EXPECT_EQ(Run(Shell(std::string("echo a\0b", 8))).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Launcher, NothingIsInherited) {
  ::setenv("LLMD_TEST_SECRET", "planted", 1);
  const FileDescriptor open(::open("/dev/null", O_RDONLY));  // not close-on-exec
  ProcessSpec spec = Shell("env; ls /proc/self/fd | tr '\\n' ' '; echo");
  spec.environment = {{"ONLY", "this"}, {"PATH", "/usr/bin:/bin"}};
  ASSERT_TRUE(Run(spec).ok());
  ::unsetenv("LLMD_TEST_SECRET");
  EXPECT_THAT(lines_, Contains("ONLY=this"));
  for (const std::string& line : lines_) {
    EXPECT_EQ(line.find("planted"), std::string::npos) << line;
  }
#if defined(__linux__)
  EXPECT_EQ(lines_.back(), "0 1 2 3 ");  // 3 is the folder that ls reads
#endif
}

TEST_F(Launcher, SignalsAreResetInTheChild) {
  sigset_t blocked;
  sigset_t old;
  sigfillset(&blocked);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &old);
  const auto previous = ::signal(SIGPIPE, SIG_IGN);
  const auto exit = Run(Shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  ::signal(SIGPIPE, previous);
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  ASSERT_TRUE(exit.ok());
#if defined(__linux__)
  ASSERT_EQ(lines_.size(), 2u);
  for (const std::string& line : lines_) {
    // Signals 32 and 33 belong to the C library.
    const auto mask = std::stoull(line.substr(line.find('\t') + 1), nullptr, 16);
    EXPECT_EQ(mask & 0x7fffffff, 0u) << line;
  }
#endif
}

TEST_F(Launcher, DescriptorsArriveWhereTheyAreWanted) {
  TempFolder folder;
  const auto first = OpenFile(folder.Write("first", "1st"), O_RDONLY);
  const auto second = OpenFile(folder.Write("second", "2nd"), O_RDONLY);
  ASSERT_TRUE(first.ok() && second.ok());
  ProcessSpec spec = Shell("cat <&3; echo; cat <&7; echo; cat");
  // Crossed on purpose, with a gap in between and standard input given.
  spec.descriptors = {{second->get(), 3}, {first->get(), 7}};
  ASSERT_TRUE(Run(spec).ok());
  EXPECT_THAT(lines_, ElementsAre("2nd", "1st"));

  lines_.clear();
  const auto again = OpenFile(folder / "first", O_RDONLY);
  spec = Shell("cat");
  spec.descriptors = {{again->get(), 0}};
  ASSERT_TRUE(Run(spec).ok());
  EXPECT_THAT(lines_, ElementsAre("1st"));
}

TEST_F(Launcher, WorkingFolder) {
  TempFolder folder;
  ProcessSpec spec = Shell("pwd");
  spec.folder = folder.path();
  ASSERT_TRUE(Run(spec).ok());
  EXPECT_THAT(lines_, ElementsAre(folder.path().string()));
  spec.folder = folder / "none";
  EXPECT_EQ(Run(spec).status().code(), StatusCode::kNotFound);
}

TEST_F(Launcher, LongLinesAreCutAndNothingBlocks) {
  ASSERT_TRUE(Run(Shell("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end")).ok());
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_EQ(lines_[0].size(), 64u << 10);
  EXPECT_EQ(lines_[1], "end");
}

TEST_F(Launcher, CancelEndsTheWholeGroup) {
  CancelSource source;
  pid_t child = 0;
  on_line_ = [&](std::string_view line) {
    child = static_cast<pid_t>(std::stol(std::string(line)));
    source.Cancel();
  };
  const auto exit = Run(Shell("sleep 1000 & echo $!; wait"), source.token());
  EXPECT_EQ(exit.status().code(), StatusCode::kCancelled);
  ASSERT_GT(child, 0);
  EXPECT_TRUE(IsGone(child));
}

TEST_F(Launcher, WhatIgnoresTermIsKilledAfterTheGrace) {
  CancelSource source;
  on_line_ = [&](std::string_view) { source.Cancel(); };
  options_.kill_grace = std::chrono::milliseconds(50);
  const auto exit =
      Run(Shell("trap '' TERM; echo ready; while :; do sleep 1000; done"), source.token());
  EXPECT_EQ(exit.status().code(), StatusCode::kCancelled);
}

TEST_F(Launcher, ACancelledTokenStartsNothing) {
  CancelSource source;
  source.Cancel();
  TempFolder folder;
  EXPECT_EQ(Run(Shell("touch " + (folder / "file").string()), source.token()).status().code(),
            StatusCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(folder / "file"));
}

TEST_F(Launcher, DeadlineEndsIt) {
  options_.deadline = std::chrono::milliseconds(50);
  options_.kill_grace = std::chrono::milliseconds(50);
  EXPECT_EQ(Run(Shell("trap '' TERM; sleep 1000; sleep 1000")).status().code(),
            StatusCode::kDeadlineExceeded);
}

TEST_F(Launcher, WhatIsLeftInTheBackgroundDoesNotHoldTheRun) {
  const auto exit = Run(Shell("sleep 1000 & echo $!"));
  ASSERT_TRUE(exit.ok());
  EXPECT_EQ(exit->code, 0);
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_TRUE(IsGone(static_cast<pid_t>(std::stol(lines_[0]))));
}

TEST_F(Launcher, ARunNeedsAGroup) {
  ProcessSpec spec = Shell("true");
  spec.new_group = false;
  EXPECT_EQ(Run(spec).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Launcher, LaunchedProcessHasItsOwnSessionOrGroup) {
  ProcessSpec spec = Shell("exec sleep 1000");
  for (const bool session : {false, true}) {
    spec.new_session = session;
    auto process = launcher_->Launch(spec);
    ASSERT_TRUE(process.ok());
    const pid_t pid = (*process)->pid();
    EXPECT_EQ(::getpgid(pid), pid);
    EXPECT_EQ(::getsid(pid), session ? pid : ::getsid(0));
    (*process)->Signal(SIGTERM);
    EXPECT_EQ((*process)->Wait(CancelToken())->signal, SIGTERM);
    EXPECT_FALSE(FindProcess(pid)) << "a zombie is left";
  }
}

TEST_F(Launcher, WaitIsCancelledAndTheProcessGoesOn) {
  auto process = launcher_->Launch(Shell("exec sleep 1000"));
  ASSERT_TRUE(process.ok());
  CancelSource source;
  std::thread canceller([&source] { source.Cancel(); });
  EXPECT_EQ((*process)->Wait(source.token()).status().code(), StatusCode::kCancelled);
  canceller.join();
  pollfd exit{(*process)->exit_descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&exit, 1, 0), 0);
  (*process)->Signal(SIGKILL);
  EXPECT_EQ(::poll(&exit, 1, -1), 1);
  EXPECT_EQ((*process)->Wait(source.token())->signal, SIGKILL);  // ended: the answer is there
  EXPECT_EQ((*process)->Wait(CancelToken())->signal, SIGKILL);
  (*process)->Signal(SIGTERM);  // to nobody
}

TEST_F(Launcher, TwoMayWait) {
  auto process = launcher_->Launch(Shell("exit 5"));
  ASSERT_TRUE(process.ok());
  int other = 0;
  std::thread waiter([&] { other = (*process)->Wait(CancelToken())->code; });
  EXPECT_EQ((*process)->Wait(CancelToken())->code, 5);
  waiter.join();
  EXPECT_EQ(other, 5);
}

TEST_F(Launcher, NoDescriptorIsLeftBehind) {
  const int before = OpenDescriptors();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Run(Shell("echo x")).ok());
    ASSERT_FALSE(Run({.program = "/no/such/program"}).ok());
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(CleanEnvironment, KeepsLittleAndNoSecrets) {
  const std::map<std::string, std::string> planted = {
      {"HF_TOKEN", "secret"},      {"PYTHONPATH", "/x"},   {"PYTHONSTARTUP", "/x"},
      {"LD_PRELOAD", ""},          {"LLMD_HOME", "/x"},    {"LC_TIME", "C"},
      {"https_proxy", "http://p"}, {"AWS_SECRET", "other"}};
  for (const auto& [name, value] : planted) ::setenv(name.c_str(), value.c_str(), 1);
  const auto offline = CleanEnvironment(false);
  const auto online = CleanEnvironment(true);
  for (const auto& [name, value] : planted) ::unsetenv(name.c_str());
  for (const char* name :
       {"HF_TOKEN", "PYTHONPATH", "PYTHONSTARTUP", "LD_PRELOAD", "LLMD_HOME", "AWS_SECRET"}) {
    EXPECT_FALSE(offline.contains(name)) << name;
    EXPECT_FALSE(online.contains(name)) << name;
  }
  EXPECT_TRUE(offline.contains("PATH"));
  EXPECT_TRUE(offline.contains("LC_TIME"));
  EXPECT_FALSE(offline.contains("https_proxy"));
  EXPECT_EQ(online.at("https_proxy"), "http://p");
}

}  // namespace
}  // namespace llmd::platform
