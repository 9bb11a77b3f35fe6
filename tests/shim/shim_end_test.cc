// How servers end under llmd-shim, and that nothing is left of them.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "shim/shim_fixture.h"

namespace llmd::shim {
namespace {

namespace fs = std::filesystem;
using platform::EndedEvent;
using platform::ServerEvent;
using platform::ShimPhase;
using platform::ShimState;
using platform::StoppingEvent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsGone;
using testing::kGoodServer;
using testing::kSayReady;
using testing::kSleep;

class ShimEnd : public testing::ShimTest {
 protected:
  // Waits for a line in a file of the model's folder that the script writes, by a FIFO.
  std::string FromScript(const char* name) {
    std::ifstream file(home_ / (std::string("model/") + name));
    std::string line;
    std::getline(file, line);
    return line;
  }
  void MakeFifo(const char* name) {
    fs::create_directories(home_ / "model");
    ASSERT_EQ(::mkfifo((home_ / (std::string("model/") + name)).c_str(), 0600), 0);
  }
};

TEST_F(ShimEnd, AStopThatIsObeyed) {
  StartShim(kGoodServer);
  const auto state = client_->NextOf<ShimState>();
  ASSERT_TRUE(WaitReady());
  Stop(30);
  EXPECT_TRUE(client_->NextOf<StoppingEvent>());
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.signal, SIGTERM);
  EXPECT_EQ(exit.exit_code, -1);
  EXPECT_TRUE(exit.asked);
  EXPECT_TRUE(exit.clean());
  EXPECT_FALSE(exit.oom);
  EXPECT_TRUE(exit.ended_at);
  EXPECT_EQ(shim_exit_, 0);
  EXPECT_FALSE(fs::exists(spec_.api_socket));
  EXPECT_FALSE(fs::exists(spec_.shim_socket));
  EXPECT_TRUE(IsGone(state->server.pid));
  const auto file = platform::ParseShimExit(*ReadFile(files_.exit(), 1 << 20));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(platform::ToJson(*file), platform::ToJson(exit));
}

TEST_F(ShimEnd, ACrashTellsItsCodeAndLastLines) {
  StartShim(
      "i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); done\n"
      "echo 'the model server broke its leg' >&2; exit 23");
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.exit_code, 23);
  EXPECT_EQ(exit.signal, 0);
  EXPECT_FALSE(exit.asked);
  EXPECT_EQ(exit.last_log.size(), platform::kMaxLastLogLines);
  EXPECT_EQ(exit.last_log.front(), "line 11");
  EXPECT_EQ(exit.last_log.back(), "the model server broke its leg");
}

TEST_F(ShimEnd, ASignalIsTold) {
  StartShim(std::string(kSayReady) + "kill -SEGV $$");
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.signal, SIGSEGV);
  EXPECT_FALSE(exit.asked);
  EXPECT_FALSE(exit.oom);
}

TEST_F(ShimEnd, WhoIgnoresTermIsKilledAfterTheGrace) {
  StartShim("trap '' TERM\n" + std::string(kSayReady) + "while :; do sleep 1000; done");
  ASSERT_TRUE(WaitReady());
  Stop(0.05);
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_TRUE(exit.asked);
  EXPECT_THAT(Log(), HasSubstr("did not end in time"));
}

TEST_F(ShimEnd, ASecondStopShortensTheGrace) {
  StartShim("trap 'echo TERM' TERM\n" + std::string(kSayReady) + "while :; do sleep 1000; done");
  ASSERT_TRUE(WaitReady());
  Stop(3600);
  EXPECT_TRUE(client_->NextOf<StoppingEvent>());
  Stop(0);
  EXPECT_EQ(End().signal, SIGKILL);
}

TEST_F(ShimEnd, OddGracesDoNoHarm) {
  StartShim("trap '' TERM\n" + std::string(kSayReady) + "while :; do sleep 1000; done");
  ASSERT_TRUE(WaitReady());
  ASSERT_TRUE(client_->SendRaw(R"({"protocol":1,"request":"stop","grace_seconds":1e308})"));
  ASSERT_TRUE(client_->SendRaw(R"({"protocol":1,"request":"stop","grace_seconds":-5})"));
  EXPECT_EQ(End().signal, SIGKILL);
}

TEST_F(ShimEnd, AServerMayEndWellBeforeItIsReady) {
  StartShim("exit 0");
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.exit_code, 0);
  EXPECT_FALSE(exit.asked);
}

TEST_F(ShimEnd, AStopWhileStarting) {
  StartShim(kSleep);
  ASSERT_TRUE(client_->NextOf<ShimState>());
  Stop(30);
  EXPECT_EQ(End().signal, SIGTERM);
}

TEST_F(ShimEnd, AServerThatSaysItHasFailedIsEnded) {
  StartShim("echo '{\"event\":\"failed\",\"message\":\"no weights\"}' >&3\n" + std::string(kSleep));
  const auto event = client_->NextOf<ServerEvent>();
  EXPECT_EQ(event->kind, ServerEvent::Kind::kFailed);
  EXPECT_EQ(event->message, "no weights");
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.signal, SIGTERM);
  EXPECT_FALSE(exit.asked);
}

TEST_F(ShimEnd, WhatItSaysLastIsHeard) {
  StartShim("echo '{\"event\":\"failed\",\"message\":\"last words\"}' >&3; exit 4");
  EXPECT_EQ(client_->NextOf<ServerEvent>()->message, "last words");
  EXPECT_EQ(End().exit_code, 4);
}

TEST_F(ShimEnd, NothingIsLeftOfThreeGenerationsThatLeftTheSession) {
  MakeFifo("pids");
  StartShim(R"(
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
pids = [os.getpid()]
read, write = os.pipe()
def descend(depth):
    if os.fork() == 0:
        os.setsid()
        os.write(write, b"%d\n" % os.getpid())
        if depth > 1:
            descend(depth - 1)
            if depth == 2:
                os._exit(0)  # leaves an orphan
        time.sleep(1000)
descend(3)
got = b""
while got.count(b"\n") < 3:
    got += os.read(read, 100)
with open("pids", "w") as out:
    out.write(got.decode().replace("\n", " ") + "\n")
os.write(3, b'{"event":"ready"}\n')
time.sleep(1000)
)",
            "/usr/bin/python3");
  std::istringstream pids(FromScript("pids"));
  ASSERT_TRUE(WaitReady());
  Stop(0.05);
  EXPECT_EQ(End().signal, SIGKILL);
  int count = 0;
  for (long pid = 0; pids >> pid; ++count) EXPECT_TRUE(IsGone(pid));
  EXPECT_EQ(count, 3);
}

TEST_F(ShimEnd, WhatACrashedServerLeavesIsKilled) {
  MakeFifo("pid");
  StartShim("trap '' TERM; setsid sleep 1000 & echo $! > pid; exit 5");
  const long stray = std::stol(FromScript("pid"));
  EXPECT_EQ(End().exit_code, 5);
  EXPECT_TRUE(IsGone(stray));
}

TEST_F(ShimEnd, ItsOrphansAreNoZombies) {
  MakeFifo("pid");
  StartShim("(sh -c 'echo $$ > pid' &)\n" + kGoodServer);
  const long orphan = std::stol(FromScript("pid"));
  ASSERT_TRUE(WaitReady());
  EXPECT_TRUE(IsGone(orphan));
  // Whoever asks for the status has been through the shim's loop since.
  ASSERT_TRUE(client_->Send(platform::StatusRequest{}));
  ASSERT_TRUE(client_->NextOf<ShimState>());
  Stop(30);
  End();
  EXPECT_FALSE(platform::FindProcess(static_cast<pid_t>(orphan)));
}

#if defined(__linux__)
TEST_F(ShimEnd, AKilledShimTakesItsServerAlong) {
  StartShim(kGoodServer);
  const auto state = client_->NextOf<ShimState>();
  ASSERT_TRUE(WaitReady());
  ::kill(shim_->pid(), SIGKILL);
  EXPECT_TRUE(IsGone(state->server.pid));
  EXPECT_FALSE(fs::exists(files_.exit()));
}
#endif

TEST_F(ShimEnd, TermToTheShimStopsItsServerOtherSignalsDoNot) {
  StartShim(kGoodServer);
  ASSERT_TRUE(WaitReady());
  ::kill(shim_->pid(), SIGHUP);
  ::kill(shim_->pid(), SIGINT);
  ::kill(shim_->pid(), SIGPIPE);
  ASSERT_TRUE(client_->Send(platform::StatusRequest{}));
  EXPECT_EQ(client_->NextOf<ShimState>()->phase, ShimPhase::kReady);
  ::kill(shim_->pid(), SIGTERM);
  EXPECT_TRUE(client_->NextOf<StoppingEvent>());
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.signal, SIGTERM);
  EXPECT_TRUE(exit.asked);
}

TEST_F(ShimEnd, AFolderThatAnotherShimHasNowIsLeftAsItIs) {
  StartShim(kGoodServer);
  const auto state = client_->NextOf<ShimState>();
  ASSERT_TRUE(WaitReady());
  platform::ShimState other = *state;
  other.shim.pid += 1;
  const std::string text = platform::ToJson(other);
  ASSERT_TRUE(WriteFileAtomically(files_.state(), text).ok());
  Stop(30);
  EXPECT_TRUE(End().asked);
  EXPECT_EQ(home_.Read("run/state.json"), text);
  EXPECT_TRUE(fs::exists(spec_.api_socket));
  EXPECT_TRUE(fs::exists(spec_.shim_socket));
  EXPECT_FALSE(fs::exists(files_.exit()));
}

TEST_F(ShimEnd, AFolderThatIsGoneDoesNotHoldTheEndUp) {
  StartShim(kGoodServer);
  ASSERT_TRUE(WaitReady());
  fs::remove_all(files_.folder);
  fs::create_directory(files_.folder);  // another one of the same name
  Stop(30);
  EXPECT_TRUE(End().asked);
  EXPECT_TRUE(fs::is_empty(files_.folder));
}

TEST_F(ShimEnd, AStoppedServerIsKilledAsWell) {
  StartShim(std::string(kSayReady) + "kill -STOP $$");
  ASSERT_TRUE(WaitReady());
  Stop(0.05);
  EXPECT_EQ(End().signal, SIGKILL);
}

#if defined(__linux__)
TEST_F(ShimEnd, AnEndForWantOfMemoryIsNamed) {
  const fs::path group = "/sys/fs/cgroup/memory/llmd-test-" + std::to_string(::getpid());
  std::error_code error;
  if (!fs::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes", error) ||
      !fs::create_directory(group, error)) {
    GTEST_SKIP() << "no memory control group can be made here";
  }
  std::ofstream(group / "memory.limit_in_bytes") << (64 << 20);
  spec_.folder = testing::WriteModel(
      home_, "model", "data = []\nwhile True: data.append(b'x' * (1 << 20))\n", "/usr/bin/python3");
  spec_.program = spec_.folder / "start.sh";
  WriteSpec();
  platform::ProcessSpec process = ShimProcess();
  process.arguments.insert(process.arguments.begin(),
                           {"-c", "echo $$ > \"$0\"/cgroup.procs && exec \"$@\"", group.string(),
                            process.program.string()});
  process.program = "/bin/sh";
  Launch(process);
  const platform::ShimExit exit = End();
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_TRUE(exit.oom);
  EXPECT_FALSE(exit.asked);
  fs::remove(group, error);
}
#endif

}  // namespace
}  // namespace llmd::shim
