// Servers that fail, do not become ready, or do not want to end.
#include "supervisor/supervisor_fixture.h"

namespace llmd::supervisor {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::IsGone;
using testing::kGoodServer;
using testing::kSayReady;
using testing::kSleep;

class SupervisorEnd : public testing::SupervisorTest {
 protected:
  void SetUp() override {
    SupervisorTest::SetUp();
    Begin();
  }
};

TEST_F(SupervisorEnd, ACrashBeforeReadyTellsWhy) {
  const Started record = StartAndWait(Spec("echo 'the model server broke its leg' >&2; exit 23"));
  const Status status = record.status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(GetErrorInfo(status).code, "server_failed");
  EXPECT_THAT(Message(status), HasSubstr("exit code 23"));
  EXPECT_THAT(Message(status), HasSubstr("broke its leg"));
  EXPECT_THAT(GetErrorInfo(status).next_step, HasSubstr("llmctl logs org/name"));
  ASSERT_EQ(supervisor_->List().size(), 1u);
  EXPECT_EQ(supervisor_->List()[0].state, ServerState::kFailed);
  EXPECT_THAT(supervisor_->List()[0].reason, HasSubstr("exit code 23"));
  EXPECT_EQ(supervisor_->List()[0].pid, 0);
  EXPECT_FALSE(fs::exists(FilesOf().folder));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the shim is left";
  EXPECT_THAT(metrics_.Render(), HasSubstr("llmd_model_server_ends_total"));
}

TEST_F(SupervisorEnd, AFailedOneMayBeStartedAgainOrForgotten) {
  ASSERT_FALSE(StartAndWait(Spec("exit 1")).ok());
  EXPECT_TRUE(StopAndWait("org_name", 0).ok());
  EXPECT_TRUE(observed_->WaitFor(ServerState::kStopped));
  EXPECT_TRUE(supervisor_->List().empty());
  ASSERT_FALSE(StartAndWait(Spec("exit 1")).ok());
  const Started record = StartAndWait(Spec(kGoodServer));
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->reason, "");
}

TEST_F(SupervisorEnd, ACrashAfterReadyIsTold) {
  ASSERT_TRUE(StartAndWait(Spec(kGoodServer)).ok());
  ::kill(static_cast<pid_t>(StateOf().server.pid), SIGKILL);
  const auto failed = observed_->WaitFor(ServerState::kFailed);
  ASSERT_TRUE(failed);
  EXPECT_THAT(failed->reason, HasSubstr("signal 9"));
  EXPECT_EQ(failed->endpoint, "");
  EXPECT_FALSE(fs::exists(FilesOf().folder));
}

TEST_F(SupervisorEnd, AnEndWithoutErrorThatNobodyAskedForIsAFailure) {
  const fs::path fifo = MakeFifo("go");
  ASSERT_TRUE(StartAndWait(Spec(std::string(kSayReady) + "read x < go; exit 0")).ok());
  std::ofstream(fifo) << "go\n";
  const auto failed = observed_->WaitFor(ServerState::kFailed);
  ASSERT_TRUE(failed);
  EXPECT_THAT(failed->reason, HasSubstr("exit code 0"));
}

TEST_F(SupervisorEnd, WhatTheServerSaysOfItsFailureIsTold) {
  const Started record =
      StartAndWait(Spec("echo '{\"event\":\"failed\",\"message\":\"the weights are torn\"}' >&3\n" +
                        std::string(kSleep)));
  EXPECT_EQ(GetErrorInfo(record.status()).code, "server_failed");
  EXPECT_THAT(Message(record.status()), HasSubstr("the weights are torn"));
}

TEST_F(SupervisorEnd, ReadyTimeout) {
  ServerSpec spec = Spec("setsid sleep 1000 & echo loading; exec sleep 1000");
  spec.launch.ready_timeout_seconds = 1;
  auto start = Start(spec);
  ASSERT_TRUE(observed_->WaitFor(ServerState::kStarting));
  const auto starting = observed_->WaitFor(ServerState::kStarting);  // its pid is known
  ASSERT_TRUE(starting);
  const Started record = Get(std::move(start));
  EXPECT_EQ(record.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(GetErrorInfo(record.status()).code, "server_start_timeout");
  EXPECT_THAT(Message(record.status()), HasSubstr("loading"));
  EXPECT_EQ(observed_->WaitFor(ServerState::kFailed)->state, ServerState::kFailed);
  EXPECT_FALSE(platform::FindProcess(static_cast<pid_t>(starting->pid)));
}

TEST_F(SupervisorEnd, WhoIgnoresTermIsKilledAfterTheGrace) {
  ASSERT_TRUE(
      StartAndWait(Spec("trap '' TERM\n" + std::string(kSayReady) + "while :; do sleep 1000; done"))
          .ok());
  const int64_t pid = StateOf().server.pid;
  EXPECT_TRUE(StopAndWait("org_name", 50).ok());
  EXPECT_FALSE(platform::FindProcess(static_cast<pid_t>(pid)));
}

TEST_F(SupervisorEnd, GrandchildrenThatLeftTheSessionAreGone) {
  const fs::path fifo = MakeFifo("pid");
  auto start =
      Start(Spec("setsid sh -c 'trap \"\" TERM HUP; setsid sleep 1000 & echo $! > pid; "
                 "wait' &\n" +
                 kGoodServer));
  const long stray = std::stol(ReadLine(fifo));
  ASSERT_TRUE(Get(std::move(start)).ok());
  EXPECT_TRUE(StopAndWait("org_name", 30'000).ok());
  EXPECT_FALSE(platform::FindProcess(static_cast<pid_t>(stray)));
}

#if defined(__linux__)
TEST_F(SupervisorEnd, AKilledShimIsAFailureAndNothingIsLeft) {
  const fs::path fifo = MakeFifo("pid");
  auto start = Start(Spec("setsid sleep 1000 & echo $! > pid\n" + kGoodServer));
  const long stray = std::stol(ReadLine(fifo));
  const Started record = Get(std::move(start));
  ASSERT_TRUE(record.ok());
  ::kill(static_cast<pid_t>(StateOf().shim.pid), SIGKILL);
  const auto failed = observed_->WaitFor(ServerState::kFailed);
  ASSERT_TRUE(failed);
  EXPECT_THAT(failed->reason, HasSubstr("llmd-shim was killed"));
  EXPECT_TRUE(IsGone(record->pid));
  EXPECT_TRUE(IsGone(stray));
  EXPECT_FALSE(fs::exists(FilesOf().folder));
}

TEST_F(SupervisorEnd, AShimThatHangsIsKilledWithItsServer) {
  options_.shim_patience = std::chrono::milliseconds(100);
  Begin();
  const Started record = StartAndWait(Spec(kGoodServer));
  ASSERT_TRUE(record.ok());
  const int64_t shim = StateOf().shim.pid;
  ::kill(static_cast<pid_t>(shim), SIGSTOP);
  EXPECT_TRUE(StopAndWait("org_name", 50).ok());
  EXPECT_TRUE(IsGone(record->pid));
  EXPECT_FALSE(platform::FindProcess(static_cast<pid_t>(shim)));
}
#endif

TEST_F(SupervisorEnd, AStopBySomebodyElseIsAStop) {
  ASSERT_TRUE(StartAndWait(Spec(kGoodServer)).ok());
  ::kill(static_cast<pid_t>(StateOf().shim.pid), SIGTERM);
  EXPECT_TRUE(observed_->WaitFor(ServerState::kStopping));
  const auto stopped = observed_->WaitFor(ServerState::kStopped);
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->reason, "");
}

}  // namespace
}  // namespace llmd::supervisor
