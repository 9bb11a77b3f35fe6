// Starting and stopping servers.
#include <thread>

#include "supervisor/supervisor_fixture.h"
#include "support/fakes/fake_process_launcher.h"

namespace llmd::supervisor {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsGone;
using testing::kGoodServer;
using testing::kSleep;

class SupervisorStart : public testing::SupervisorTest {
 protected:
  void SetUp() override {
    SupervisorTest::SetUp();
    EXPECT_THAT(Begin(), ::testing::IsEmpty());
  }
};

TEST_F(SupervisorStart, StartReadyStop) {
  const auto record = StartAndWait(Spec(kGoodServer));
  ASSERT_TRUE(record.ok()) << Message(record.status());
  EXPECT_EQ(record->model, "org/name");
  EXPECT_EQ(record->folder_name, "org_name");
  EXPECT_EQ(record->state, ServerState::kReady);
  EXPECT_EQ(record->engine, "none");
  EXPECT_EQ(record->reserved_bytes, 12345);
  EXPECT_TRUE(record->started_at);
  const platform::ShimState state = StateOf();
  EXPECT_EQ(record->pid, state.server.pid);
  EXPECT_EQ(record->endpoint, state.endpoint);
  EXPECT_TRUE(record->endpoint.starts_with("unix:///"));
  EXPECT_TRUE(platform::ConnectUnix(record->endpoint.substr(7)).ok());
  ASSERT_EQ(supervisor_->List().size(), 1u);

  EXPECT_TRUE(StopAndWait("org_name", 30'000).ok());
  EXPECT_THAT(observed_->States(), ElementsAre(ServerState::kStarting, ServerState::kReady,
                                               ServerState::kStopping, ServerState::kStopped));
  EXPECT_TRUE(supervisor_->List().empty());
  EXPECT_FALSE(fs::exists(FilesOf().folder));
  // The callback comes when all is over: no process, no zombie.
  EXPECT_FALSE(platform::FindProcess(static_cast<pid_t>(state.server.pid)));
  EXPECT_FALSE(platform::FindProcess(static_cast<pid_t>(state.shim.pid)));
}

TEST_F(SupervisorStart, TwoStartsAtOnceAreOneServer) {
  const fs::path fifo = MakeFifo("go");
  const ServerSpec spec = Spec("read x < go\n" + kGoodServer);
  std::vector<std::future<Started>> starts;
  std::vector<std::thread> threads;
  Mutex mutex;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      auto start = Start(spec);
      MutexLock lock(mutex);
      starts.push_back(std::move(start));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::ofstream(fifo) << "go\n";
  std::vector<int64_t> pids;
  for (auto& start : starts) {
    const Started record = Get(std::move(start));
    ASSERT_TRUE(record.ok()) << Message(record.status());
    pids.push_back(record->pid);
  }
  EXPECT_THAT(pids, ::testing::Each(StateOf().server.pid));
  // And one more, of a server that is ready.
  EXPECT_EQ(StartAndWait(spec)->pid, pids[0]);
}

TEST_F(SupervisorStart, AStopWhileStartingTellsTheStarter) {
  auto start = Start(Spec(kSleep));
  ASSERT_TRUE(observed_->WaitFor(ServerState::kStarting));
  EXPECT_TRUE(StopAndWait("org_name", 30'000).ok());
  const Started record = Get(std::move(start));
  EXPECT_EQ(record.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(GetErrorInfo(record.status()).code, "server_stopped");
  EXPECT_TRUE(observed_->WaitFor(ServerState::kStopped));
}

TEST_F(SupervisorStart, AStartWhileStoppingComesAfterwards) {
  const fs::path fifo = MakeFifo("stopping");
  const ServerSpec spec =
      Spec("trap 'echo x > stopping; exit 0' TERM\n" + std::string(testing::kSayReady) +
           "while :; do sleep 1000 & wait; done");
  const auto first = StartAndWait(spec);
  ASSERT_TRUE(first.ok());
  auto stop = Stop("org_name", 60'000);
  ASSERT_TRUE(observed_->WaitFor(ServerState::kStopping));
  auto again = Start(spec);  // the server waits in its handler until the FIFO is read
  EXPECT_EQ(testing::SupervisorTest::ReadLine(fifo), "x");
  EXPECT_TRUE(Get(std::move(stop)).ok());
  const Started second = Get(std::move(again));
  ASSERT_TRUE(second.ok()) << Message(second.status());
  EXPECT_NE(second->pid, first->pid);
  EXPECT_EQ(StopAndWait("org_name", 0).code(), StatusCode::kOk);
}

TEST_F(SupervisorStart, AStopTakesAWaitingStartBack) {
  const ServerSpec spec =
      Spec("trap '' TERM\n" + std::string(testing::kSayReady) + "while :; do sleep 1000; done");
  ASSERT_TRUE(StartAndWait(spec).ok());
  auto stop = Stop("org_name", 3'600'000);
  ASSERT_TRUE(observed_->WaitFor(ServerState::kStopping));
  auto again = Start(spec);
  EXPECT_TRUE(StopAndWait("org_name", 0).ok());
  EXPECT_TRUE(Get(std::move(stop)).ok());
  EXPECT_EQ(GetErrorInfo(Get(std::move(again)).status()).code, "server_stopped");
}

TEST_F(SupervisorStart, StoppingWhatDoesNotRunIsFine) {
  EXPECT_TRUE(StopAndWait("never_started", 1000).ok());
  EXPECT_TRUE(observed_->States().empty());
}

TEST_F(SupervisorStart, ServersDoNotDisturbEachOther) {
  std::vector<std::future<Started>> starts;
  for (int i = 0; i < 5; ++i) {
    starts.push_back(Start(Spec(i == 2 ? "exit 9" : kGoodServer, "org_m" + std::to_string(i))));
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Get(std::move(starts[static_cast<size_t>(i)])).ok(), i != 2) << i;
  }
  EXPECT_EQ(supervisor_->List().size(), 5u);  // one of them failed
  std::vector<std::future<Status>> stops;
  for (int i = 0; i < 5; ++i) stops.push_back(Stop("org_m" + std::to_string(i), 30'000));
  for (auto& stop : stops) EXPECT_TRUE(Get(std::move(stop)).ok());
  EXPECT_TRUE(supervisor_->List().empty());
}

TEST_F(SupervisorStart, TheEndOfTheLoopTellsWhoWaits) {
  auto start = Start(Spec(kSleep));
  ASSERT_TRUE(observed_->WaitFor(ServerState::kStarting));
  supervisor_->End();
  EXPECT_EQ(GetErrorInfo(Get(std::move(start)).status()).code, "shutting_down");
  EXPECT_EQ(GetErrorInfo(StartAndWait(Spec(kSleep)).status()).code, "shutting_down");
  EXPECT_EQ(GetErrorInfo(StopAndWait("org_name", 0)).code, "shutting_down");
  // The server itself goes on, and is found again.
  const std::vector<ServerRecord> adopted = Begin();
  if (!adopted.empty()) {
    EXPECT_EQ(adopted[0].state, ServerState::kStarting);
  }
}

TEST_F(SupervisorStart, WithoutAShimNothingStarts) {
  options_.shim = home_ / "no-shim";
  Begin();
  const Started record = StartAndWait(Spec(kGoodServer));
  EXPECT_EQ(GetErrorInfo(record.status()).code, "server_failed");
  EXPECT_THAT(Message(record.status()), HasSubstr("no-shim"));
  EXPECT_EQ(supervisor_->List()[0].state, ServerState::kFailed);
}

TEST_F(SupervisorStart, SocketsElsewhereWhenTheFoldersPathIsTooLong) {
  const auto deep = home_.path() / std::string(120, 'd');
  options_.servers_dir = deep / "servers";
  fs::create_directories(options_.servers_dir);
  Begin();
  // With the sockets in the same place it is refused, and the message says why.
  options_.sockets_dir = options_.servers_dir;
  Begin();
  const Started refused = StartAndWait(Spec(kGoodServer));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(Message(refused.status()), HasSubstr("bytes, at most"));

  testing::TempFolder elsewhere;
  options_.sockets_dir = elsewhere / "servers";
  Begin();
  const Started record = StartAndWait(Spec(kGoodServer));
  ASSERT_TRUE(record.ok()) << Message(record.status());
  EXPECT_THAT(record->endpoint, HasSubstr(elsewhere.path().string()));
  EXPECT_TRUE(platform::ConnectUnix(record->endpoint.substr(7)).ok());
  const std::vector<ServerRecord> adopted = Begin();
  ASSERT_EQ(adopted.size(), 1u);
  EXPECT_EQ(adopted[0].pid, record->pid);
  EXPECT_TRUE(StopAndWait("org_name", 30'000).ok());
  EXPECT_TRUE(fs::is_empty(options_.sockets_dir));
}

TEST_F(SupervisorStart, NeitherDescriptorsNorZombiesAreLeft) {
  ASSERT_TRUE(StartAndWait(Spec(kGoodServer)).ok());
  ASSERT_TRUE(StopAndWait("org_name", 30'000).ok());
  const int before = testing::OpenDescriptors();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(StartAndWait(Spec(kGoodServer)).ok());
    ASSERT_TRUE(StopAndWait("org_name", 30'000).ok());
    ASSERT_FALSE(StartAndWait(Spec("exit 1", "org_bad")).ok());
  }
  EXPECT_EQ(testing::OpenDescriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST(SupervisorLaunch, TheShimIsDetachedAndAttached) {
  testing::TempFolder home;
  testing::FakeProcessLauncher launcher;
  const SystemClock clock;
  Metrics metrics;
  const auto supervisor = MakeShimSupervisor(
      launcher, clock, metrics,
      {.shim = "/lib/llmd-shim", .servers_dir = home / "s", .sockets_dir = home / "s"}, {});
  ASSERT_TRUE(supervisor->Begin().ok());
  auto promise = std::make_shared<std::promise<Status>>();
  supervisor->Start({.model = "m", .folder_name = "m", .folder = home.path()},
                    [promise](const auto& record) { promise->set_value(record.status()); });
  supervisor->Stop("m", std::chrono::hours(1), [](const Status&) {});
  supervisor->End();  // both commands may have run or not
  EXPECT_FALSE(promise->get_future().get().ok());
  for (const platform::ProcessSpec& spec : launcher.specs()) {
    EXPECT_EQ(spec.program, "/lib/llmd-shim");
    EXPECT_TRUE(spec.new_session);
    EXPECT_EQ(spec.arguments[0], "--attached");
    EXPECT_TRUE(spec.arguments.back().ends_with("/spec.json"));
    EXPECT_TRUE(spec.environment.empty());
    ASSERT_EQ(spec.descriptors.size(), 1u);
    EXPECT_EQ(spec.descriptors[0].second, platform::kShimClientFd);
  }
}

}  // namespace
}  // namespace llmd::supervisor
