// Servers that outlive a supervisor, and processes that only look like them.
#include "supervisor/supervisor_fixture.h"

namespace llmd::supervisor {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsGone;
using testing::kGoodServer;
using testing::kSayReady;

class SupervisorAdopt : public testing::SupervisorTest {
 protected:
  // llmd is away.
  void EndSupervisor() { supervisor_.reset(); }
  void WriteState(const platform::ShimState& state) {
    ASSERT_TRUE(WriteFileAtomically(FilesOf().state(), platform::ToJson(state)).ok());
  }
  // Ends a server that nobody supervises.
  static void EndByHand(const platform::ShimState& state) {
    ::kill(static_cast<pid_t>(state.shim.pid), SIGTERM);
    EXPECT_TRUE(IsGone(state.shim.pid));
  }
};

TEST_F(SupervisorAdopt, TheSameServerGoesOn) {
  Begin();
  const Started before = StartAndWait(Spec(kGoodServer));
  ASSERT_TRUE(before.ok());
  const std::vector<ServerRecord> adopted = Begin();
  ASSERT_EQ(adopted.size(), 1u);
  EXPECT_EQ(adopted[0].pid, before->pid);
  EXPECT_EQ(adopted[0].state, ServerState::kReady);
  EXPECT_EQ(adopted[0].model, before->model);
  EXPECT_EQ(adopted[0].folder_name, before->folder_name);
  EXPECT_EQ(adopted[0].engine, before->engine);
  EXPECT_EQ(adopted[0].endpoint, before->endpoint);
  EXPECT_EQ(adopted[0].reserved_bytes, before->reserved_bytes);
  EXPECT_EQ(adopted[0].started_at, before->started_at);
  EXPECT_TRUE(observed_->States().empty()) << "nothing has changed";
  EXPECT_EQ(supervisor_->List().size(), 1u);
  // A start joins it, a third supervisor adopts it as well, and a stop ends it.
  EXPECT_EQ(StartAndWait(Spec(kGoodServer))->pid, before->pid);
  ASSERT_EQ(Begin().size(), 1u);
  EXPECT_TRUE(StopAndWait("org_name", 30'000).ok());
  EXPECT_TRUE(IsGone(before->pid));
  EXPECT_FALSE(fs::exists(FilesOf().folder));
}

TEST_F(SupervisorAdopt, FiveAtOnce) {
  Begin();
  std::vector<std::future<Started>> starts;
  for (int i = 0; i < 5; ++i)
    starts.push_back(Start(Spec(kGoodServer, "org_m" + std::to_string(i))));
  for (auto& start : starts) ASSERT_TRUE(Get(std::move(start)).ok());
  EXPECT_EQ(Begin().size(), 5u);
}

TEST_F(SupervisorAdopt, AnAdoptedServersCrashIsTold) {
  Begin();
  const Started record = StartAndWait(Spec(kGoodServer));
  ASSERT_TRUE(record.ok());
  Begin();
  ::kill(static_cast<pid_t>(record->pid), SIGSEGV);
  const auto failed = observed_->WaitFor(ServerState::kFailed);
  ASSERT_TRUE(failed);
  EXPECT_THAT(failed->reason, HasSubstr("signal 11"));
}

TEST_F(SupervisorAdopt, OneThatIsStartingBecomesReadyLater) {
  const fs::path fifo = MakeFifo("go");
  Begin();
  const ServerSpec spec = Spec("read x < go\n" + kGoodServer);
  auto start = Start(spec);
  ASSERT_TRUE(observed_->WaitFor(ServerState::kStarting));
  const auto starting = observed_->WaitFor(ServerState::kStarting);
  const std::vector<ServerRecord> adopted = Begin();
  EXPECT_FALSE(Get(std::move(start)).ok());
  ASSERT_EQ(adopted.size(), 1u);
  EXPECT_EQ(adopted[0].state, ServerState::kStarting);
  EXPECT_EQ(adopted[0].pid, starting->pid);
  auto joined = Start(spec);
  std::ofstream(fifo) << "go\n";
  EXPECT_EQ(Get(std::move(joined))->pid, starting->pid);
  EXPECT_TRUE(observed_->WaitFor(ServerState::kReady));
}

TEST_F(SupervisorAdopt, OneThatDiedMeanwhileIsMourned) {
  Begin();
  const Started record = StartAndWait(Spec(kGoodServer));
  ASSERT_TRUE(record.ok());
  const platform::ShimState state = StateOf();
  EndSupervisor();
  ::kill(static_cast<pid_t>(record->pid), SIGKILL);
  ASSERT_TRUE(IsGone(state.shim.pid));
  EXPECT_TRUE(fs::exists(FilesOf().exit()));
  EXPECT_THAT(Begin(), IsEmpty());
  const auto failed = observed_->WaitFor(ServerState::kFailed);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->model, "org/name");
  EXPECT_THAT(failed->reason, HasSubstr("signal 9"));
  EXPECT_FALSE(fs::exists(FilesOf().folder));
  EXPECT_TRUE(StartAndWait(Spec(kGoodServer)).ok());
}

TEST_F(SupervisorAdopt, OneThatWasStoppedMeanwhileIsJustStopped) {
  Begin();
  ASSERT_TRUE(StartAndWait(Spec(kGoodServer)).ok());
  const platform::ShimState state = StateOf();
  EndSupervisor();
  EndByHand(state);
  EXPECT_THAT(Begin(), IsEmpty());
  EXPECT_TRUE(observed_->WaitFor(ServerState::kStopped));
  EXPECT_FALSE(fs::exists(FilesOf().folder));
}

#if defined(__linux__)
TEST_F(SupervisorAdopt, OneWhoseShimWasKilledMeanwhileLeavesNothing) {
  const fs::path fifo = MakeFifo("pid");
  Begin();
  auto start = Start(Spec("setsid sleep 1000 & echo $! > pid\n" + kGoodServer));
  const long stray = std::stol(ReadLine(fifo));
  ASSERT_TRUE(Get(std::move(start)).ok());
  const platform::ShimState state = StateOf();
  EndSupervisor();
  ::kill(static_cast<pid_t>(state.shim.pid), SIGKILL);
  ASSERT_TRUE(IsGone(state.shim.pid));
  EXPECT_THAT(Begin(), IsEmpty());
  EXPECT_TRUE(observed_->WaitFor(ServerState::kFailed));
  EXPECT_TRUE(IsGone(stray));
  EXPECT_TRUE(IsGone(state.server.pid));
}
#endif

TEST_F(SupervisorAdopt, OneThatIsStoppingIsFollowedToItsEnd) {
  const fs::path fifo = MakeFifo("stopping");
  Begin();
  ASSERT_TRUE(StartAndWait(Spec("trap 'echo x > stopping; exit 0' TERM\n" + std::string(kSayReady) +
                                "while :; do sleep 1000 & wait; done"))
                  .ok());
  auto stop = Stop("org_name", 60'000);
  ASSERT_TRUE(observed_->WaitFor(ServerState::kStopping));
  EndSupervisor();
  EXPECT_FALSE(Get(std::move(stop)).ok());
  const std::vector<ServerRecord> adopted = Begin();
  ASSERT_EQ(adopted.size(), 1u);
  EXPECT_EQ(adopted[0].state, ServerState::kStopping);
  EXPECT_EQ(ReadLine(fifo), "x");
  EXPECT_TRUE(observed_->WaitFor(ServerState::kStopped));
}

// A process of somebody else.
class SupervisorStranger : public SupervisorAdopt {
 protected:
  void SetUp() override {
    SupervisorAdopt::SetUp();
    auto process =
        launcher_->Launch({.program = "/bin/sleep", .arguments = {"1000"}, .new_session = true});
    ASSERT_TRUE(process.ok());
    stranger_ = std::move(*process);
    facts_ = *platform::FindProcess(stranger_->pid());
    state_ = {.model = "org/name",
              .folder_name = "org_name",
              .engine = "none",
              .boot_id = *platform::BootId(),
              .shim = {.pid = facts_.pid, .start_ticks = facts_.start_ticks},
              .server = {.pid = facts_.pid, .start_ticks = facts_.start_ticks},
              .token = "forged",
              .endpoint = "unix:///nowhere",
              .phase = platform::ShimPhase::kReady};
    fs::create_directories(FilesOf().folder);
  }
  void TearDown() override {
    stranger_->Signal(SIGKILL);
    (void)stranger_->Wait(CancelToken());
    SupervisorAdopt::TearDown();
  }
  void ExpectNotAdoptedNotTouched() {
    EXPECT_THAT(Begin(), IsEmpty());
    EXPECT_FALSE(fs::exists(FilesOf().folder));
    // A start of the model does not care either.
    EXPECT_TRUE(StartAndWait(Spec(kGoodServer)).ok());
    EXPECT_TRUE(StopAndWait("org_name", 30'000).ok());
    EXPECT_TRUE(platform::IsRunning(facts_.pid, facts_.start_ticks));
  }

  std::unique_ptr<platform::Process> stranger_;
  platform::ProcessInfo facts_;
  platform::ShimState state_;
};

TEST_F(SupervisorStranger, WithThePidButAnotherStart) {
  state_.shim.start_ticks -= 1;
  // Nobody would wait for its end, or kill it.
  state_.server.start_ticks -= 1;
  WriteState(state_);
  ExpectNotAdoptedNotTouched();
}

TEST_F(SupervisorStranger, WithPidAndStartButNoSocket) {
  WriteState(state_);
  ExpectNotAdoptedNotTouched();
}

TEST_F(SupervisorStranger, WithASocketOfYetAnotherProcess) {
  WriteState(state_);
  auto listener = platform::ListenUnix(platform::ShimSocketIn(FilesOf().folder), 4);
  ASSERT_TRUE(listener.ok());
  ExpectNotAdoptedNotTouched();
}

TEST_F(SupervisorStranger, OfAnotherBoot) {
  state_.boot_id = "0000";
  WriteState(state_);
  ExpectNotAdoptedNotTouched();
}

TEST_F(SupervisorStranger, InAFolderThatIsNotItsOwn) {
  state_.folder_name = "org_other";
  WriteState(state_);
  ExpectNotAdoptedNotTouched();
}

TEST_F(SupervisorStranger, WithBrokenFiles) {
  for (const char* content : {"", "{", "null", "[1,2]", "\xff\xfe\x00", "{\"schema\":99}"}) {
    std::ofstream(FilesOf().state()) << content;
    std::ofstream(FilesOf().exit()) << content;
    std::ofstream(FilesOf().spec()) << content;
    ExpectNotAdoptedNotTouched();
    fs::create_directories(FilesOf().folder);
  }
}

TEST_F(SupervisorAdopt, AServerWithAnotherTokenIsLeftAlone) {
  Begin();
  ASSERT_TRUE(StartAndWait(Spec(kGoodServer)).ok());
  const platform::ShimState real = StateOf();
  EndSupervisor();
  platform::ShimState forged = real;
  forged.token = "another";
  WriteState(forged);
  EXPECT_THAT(Begin(), IsEmpty());
  EXPECT_TRUE(platform::IsRunning(static_cast<pid_t>(real.server.pid), real.server.start_ticks));
  EXPECT_FALSE(fs::exists(FilesOf().folder));
  EndByHand(real);
}

TEST_F(SupervisorAdopt, AShimThatDoesNotAnswerIsLeftAlone) {
  options_.shim_patience = std::chrono::milliseconds(100);
  Begin();
  ASSERT_TRUE(StartAndWait(Spec(kGoodServer)).ok());
  const platform::ShimState real = StateOf();
  EndSupervisor();
  ::kill(static_cast<pid_t>(real.shim.pid), SIGSTOP);
  EXPECT_THAT(Begin(), IsEmpty());
  ::kill(static_cast<pid_t>(real.shim.pid), SIGCONT);
  EXPECT_TRUE(platform::IsRunning(static_cast<pid_t>(real.server.pid), real.server.start_ticks));
  EndByHand(real);
}

TEST_F(SupervisorAdopt, ALostSpecCostsNothingButTheReservation) {
  Begin();
  const Started record = StartAndWait(Spec(kGoodServer));
  ASSERT_TRUE(record.ok());
  EndSupervisor();
  fs::remove(FilesOf().spec());
  const std::vector<ServerRecord> adopted = Begin();
  ASSERT_EQ(adopted.size(), 1u);
  EXPECT_EQ(adopted[0].pid, record->pid);
  EXPECT_EQ(adopted[0].reserved_bytes, 0);
}

TEST_F(SupervisorAdopt, AServerThatWasJustStartingIsNotLeftBehind) {
  Begin();
  const Started record = StartAndWait(Spec(kGoodServer));
  ASSERT_TRUE(record.ok());
  const platform::ShimState state = StateOf();
  EndSupervisor();
  fs::remove(FilesOf().state());  // as if it had not been written yet
  EXPECT_THAT(Begin(), IsEmpty());
  EXPECT_TRUE(IsGone(record->pid));
  EXPECT_TRUE(IsGone(state.shim.pid));
  EXPECT_FALSE(fs::exists(FilesOf().folder));
}

TEST_F(SupervisorAdopt, AFolderWithoutAStateIsCleaned) {
  home_.Write("run/servers/" + ServerIdFor("org_name") + "/spec.json", "{}");
  EXPECT_THAT(Begin(), IsEmpty());
  EXPECT_FALSE(fs::exists(FilesOf().folder));
  EXPECT_TRUE(observed_->States().empty());
}

}  // namespace
}  // namespace llmd::supervisor
