#include "serving/server_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <variant>

#include "domain/names.h"
#include "support/fakes/fake_clock.h"
#include "support/fakes/fake_registry.h"
#include "support/fakes/fake_supervisor.h"
#include "support/gate.h"
#include "support/temp_folder.h"

namespace llmd::serving {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What an Acquire, Start or Stop was answered with.
template <typename T>
struct Answer {
  std::optional<StatusOr<T>> value;
  int calls = 0;
  std::function<void(StatusOr<T>)> Done() {
    return [this](StatusOr<T> result) {
      ++calls;
      value.emplace(std::move(result));
    };
  }
  bool ok() const { return value && value->ok(); }
  std::string code() const {
    return value && !value->ok() ? GetErrorInfo(value->status()).code : "";
  }
};
using Acquired = Answer<Lease>;
using Told = Answer<ServerRecord>;

class ServerRouterTest : public ::testing::Test {
 protected:
  ServerRouterTest() { router_.Connect(supervisor_); }

  void Install(const std::string& name, int64_t memory = 10) {
    StoredModel model{.record = {.name = name,
                                 .folder_name = FolderNameFor(name),
                                 .state = ModelState::kInstalled,
                                 .engine = "transformers",
                                 .memory_bytes = memory}};
    model.record.profile.kind = "llm";
    model.launch.routes = {"POST /v1/chat/completions"};
    model.launch.name = name;
    ASSERT_TRUE(models_.Put(model).ok());
  }
  ServerState StateOf(const std::string& name) { return router_.Server(name)->state; }
  // The model runs; its lease is given back.
  void MakeReady(const std::string& name) {
    Acquired got;
    router_.Acquire(name, {}, got.Done());
    supervisor_.Ready(FolderNameFor(name), "unix:///x.sock");
    ASSERT_TRUE(got.ok());
  }

  testing::TempFolder folder_;
  const platform::HomePaths home_{.home = folder_.path()};
  testing::FakeRegistry registry_;
  testing::FakeClock clock_;
  EventStream events_;
  Metrics metrics_;
  ModelStore models_{registry_, events_, home_};
  ServerRouter router_{{.home = home_,
                        .models = models_,
                        .registry = registry_,
                        .events = events_,
                        .clock = clock_,
                        .metrics = metrics_,
                        .capacity = {.memory_bytes = 25, .cpus = 4},
                        .resident_bytes = [](int64_t pid) { return pid * 2; }}};
  testing::FakeSupervisor supervisor_{
      [this](const ServerRecord& record) { router_.OnServerChanged(record); }};
};

TEST_F(ServerRouterTest, TheFirstRequestStartsTheServerOthersJoin) {
  Install("a/x");
  Acquired first;
  Acquired second;
  router_.Acquire("a/x", {}, first.Done());
  router_.Acquire("X", {}, second.Done());
  EXPECT_EQ(first.calls + second.calls, 0);
  EXPECT_EQ(StateOf("a/x"), ServerState::kStarting);
  ASSERT_THAT(supervisor_.starts(), SizeIs(1));
  EXPECT_EQ(supervisor_.starts()[0].folder, home_.model("a_x"));
  EXPECT_EQ(supervisor_.starts()[0].threads, 2);
  EXPECT_EQ(supervisor_.starts()[0].reserved_bytes, 10);
  supervisor_.Ready("a_x", "unix:///x.sock", 77);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(second.ok());
  const Lease::Target& target = (*first.value)->target();
  EXPECT_EQ(target.model, "a/x");
  EXPECT_EQ(target.endpoint, "unix:///x.sock");
  EXPECT_EQ(target.kind, "llm");
  EXPECT_TRUE((*first.value)->Allows("POST", "/v1/chat/completions"));
  EXPECT_FALSE((*first.value)->Allows("GET", "/v1/chat/completions"));
  EXPECT_FALSE((*first.value)->Allows("POST", "/v1/chat/completions/x"));
  EXPECT_EQ(router_.Server("a/x")->memory_bytes, 154);
  Acquired third;
  router_.Acquire("a/x", {}, third.Done());
  EXPECT_TRUE(third.ok()) << "at once, when it is ready";
  EXPECT_THAT(supervisor_.starts(), SizeIs(1));
}

TEST_F(ServerRouterTest, LeasesAreCounted) {
  Install("a/x");
  Acquired first;
  router_.Acquire("a/x", {}, first.Done());
  supervisor_.Ready("a_x", "unix:///x.sock");
  EXPECT_EQ(router_.Server("a/x")->in_flight, 1);
  Lease lease = std::move(**first.value);
  clock_.Advance(std::chrono::seconds(5));
  first = {};
  EXPECT_EQ(router_.Server("a/x")->in_flight, 1) << "a moved lease is one lease";
  lease.Reset();
  lease.Reset();
  EXPECT_EQ(router_.Server("a/x")->in_flight, 0);
  EXPECT_EQ(router_.Server("a/x")->last_used_at, clock_.Now());
}

TEST_F(ServerRouterTest, ALeaseFromBeforeARestartDoesNotCountAgainstTheNewServer) {
  Install("a/x");
  Acquired old;
  router_.Acquire("a/x", {}, old.Done());
  supervisor_.Ready("a_x", "unix:///x.sock");
  supervisor_.Fail("a_x", Unavailable("killed"));
  Acquired fresh;
  router_.Acquire("a/x", {}, fresh.Done());
  supervisor_.Ready("a_x", "unix:///x.sock");
  EXPECT_EQ(router_.Server("a/x")->in_flight, 1);
  old = {};
  EXPECT_EQ(router_.Server("a/x")->in_flight, 1);
}

TEST_F(ServerRouterTest, ALeaseTakenWhileReadinessIsToldIsKept) {
  Install("a/x");
  Acquired waits;
  Acquired quick;
  const auto subscription = events_.Subscribe([&](const Event& event) {
    const auto* changed = std::get_if<ServerChanged>(&event);
    if (changed == nullptr || changed->server.state != ServerState::kReady || quick.calls) return;
    // On the loop's thread, between the observer's news and the answer to the start.
    router_.Acquire("a/x", {}, quick.Done());
  });
  router_.Acquire("a/x", {}, waits.Done());
  supervisor_.Ready("a_x", "unix:///x.sock");
  ASSERT_TRUE(quick.ok());
  ASSERT_TRUE(waits.ok());
  EXPECT_EQ(router_.Server("a/x")->in_flight, 2);
}

TEST_F(ServerRouterTest, UnknownAndUnusableModelsAreRefused) {
  Install("a/x");
  Acquired unknown;
  router_.Acquire("b/y", {}, unknown.Done());
  EXPECT_EQ(unknown.code(), "model_not_found");
  for (const ModelState state : {ModelState::kBroken, ModelState::kRemoving}) {
    ASSERT_TRUE(models_.SetState("a/x", state).ok());
    Acquired unusable;
    router_.Acquire("a/x", {}, unusable.Done());
    EXPECT_EQ(unusable.code(), "model_not_installed");
  }
  EXPECT_THAT(supervisor_.starts(), IsEmpty());
}

TEST_F(ServerRouterTest, WhatDoesNotFitIsRefusedWithTheFigures) {
  Install("a/x", 20);
  Install("a/y", 6);
  MakeReady("a/x");
  Acquired refused;
  router_.Acquire("a/y", {}, refused.Done());
  EXPECT_EQ(refused.code(), "does_not_fit");
  EXPECT_THAT(Message(refused.value->status()), HasSubstr("a/x (20 B)"));
  EXPECT_EQ(router_.Memory().reserved_bytes, 20);
  EXPECT_EQ(StateOf("a/y"), ServerState::kStopped);
  Told stopped;
  router_.Stop("a/x", 0, stopped.Done());
  ASSERT_TRUE(stopped.ok());
  EXPECT_EQ(router_.Memory().reserved_bytes, 0);
  Acquired fits;
  router_.Acquire("a/y", {}, fits.Done());
  EXPECT_EQ(router_.Memory().reserved_bytes, 6);
}

TEST_F(ServerRouterTest, AServerThatCannotStartFailsAllWhoWait) {
  Install("a/x");
  Acquired first;
  Told second;
  router_.Acquire("a/x", {}, first.Done());
  router_.Start("a/x", {}, second.Done());
  supervisor_.Fail("a_x", MakeStatus(StatusCode::kUnavailable, "exit code 1",
                                     {.code = "server_failed", .next_step = "See the log."}));
  EXPECT_EQ(first.code(), "server_failed");
  EXPECT_EQ(second.code(), "server_failed");
  EXPECT_EQ(StateOf("a/x"), ServerState::kFailed);
  EXPECT_EQ(router_.Server("a/x")->reason, "exit code 1");
  EXPECT_EQ(router_.Memory().reserved_bytes, 0);
  Acquired again;
  router_.Acquire("a/x", {}, again.Done());
  EXPECT_THAT(supervisor_.starts(), SizeIs(2));
  supervisor_.Ready("a_x", "unix:///x.sock");
  EXPECT_TRUE(again.ok());
}

TEST_F(ServerRouterTest, AStopDuringTheStartIsNoFailure) {
  Install("a/x");
  Acquired waits;
  Told stopped;
  router_.Acquire("a/x", {}, waits.Done());
  router_.Stop("a/x", 3, stopped.Done());
  ASSERT_TRUE(stopped.ok());
  EXPECT_EQ((*stopped.value)->state, ServerState::kStopped);
  EXPECT_EQ(waits.code(), "server_stopped");
  EXPECT_EQ(StateOf("a/x"), ServerState::kStopped);
  EXPECT_EQ(router_.Memory().reserved_bytes, 0);
  EXPECT_EQ(supervisor_.graces().back(), std::chrono::seconds(3));
}

TEST_F(ServerRouterTest, ARequestDuringAStopStartsItAgain) {
  Install("a/x");
  MakeReady("a/x");
  supervisor_.StopAtOnce(false);
  Told stopped;
  router_.Stop("a/x", 0, stopped.Done());
  EXPECT_EQ(StateOf("a/x"), ServerState::kStopping);
  Acquired waits;
  router_.Acquire("a/x", {}, waits.Done());
  EXPECT_THAT(supervisor_.starts(), SizeIs(1)) << "not before the old one is gone";
  supervisor_.EndStop("a_x");
  EXPECT_TRUE(stopped.ok());
  EXPECT_THAT(supervisor_.starts(), SizeIs(2));
  EXPECT_EQ(router_.Memory().reserved_bytes, 10);
  supervisor_.Ready("a_x", "unix:///x.sock");
  EXPECT_TRUE(waits.ok());
}

TEST_F(ServerRouterTest, ASecondStopEndsTheWaitForARestart) {
  Install("a/x");
  MakeReady("a/x");
  supervisor_.StopAtOnce(false);
  Told first;
  Told second;
  Acquired waits;
  router_.Stop("a/x", 0, first.Done());
  router_.Acquire("a/x", {}, waits.Done());
  router_.Stop("a/x", 0, second.Done());
  EXPECT_EQ(waits.code(), "server_stopped");
  supervisor_.EndStop("a_x");
  EXPECT_TRUE(first.ok());
  EXPECT_TRUE(second.ok());
  EXPECT_THAT(supervisor_.starts(), SizeIs(1));
}

TEST_F(ServerRouterTest, ACancelledWaiterLeavesTheOthers) {
  Install("a/x");
  CancelSource cancel;
  Acquired gone;
  Acquired stays;
  router_.Acquire("a/x", cancel.token(), gone.Done());
  router_.Acquire("a/x", {}, stays.Done());
  cancel.Cancel();
  EXPECT_EQ(gone.value->status().code(), StatusCode::kCancelled);
  supervisor_.Ready("a_x", "unix:///x.sock");
  EXPECT_EQ(gone.calls, 1);
  EXPECT_TRUE(stays.ok());
  EXPECT_EQ(router_.Server("a/x")->in_flight, 1);
  Acquired late;
  router_.Acquire("a/x", cancel.token(), late.Done());
  EXPECT_EQ(late.value->status().code(), StatusCode::kCancelled);
}

TEST_F(ServerRouterTest, ARemovalKeepsTheModelFromBeingStartedAgain) {
  Install("a/x");
  MakeReady("a/x");
  supervisor_.StopAtOnce(false);
  Told stopped;
  Acquired waits;
  Told other;
  router_.Stop("a/x", 0, other.Done());
  router_.Acquire("a/x", {}, waits.Done());
  // What a removal does: mark, then stop.
  ASSERT_TRUE(models_.SetState("a/x", ModelState::kRemoving).ok());
  router_.Stop("a/x", 0, stopped.Done());
  supervisor_.EndStop("a_x");
  EXPECT_TRUE(stopped.ok());
  EXPECT_EQ(waits.code(), "server_stopped");
  EXPECT_THAT(supervisor_.starts(), SizeIs(1));
}

TEST_F(ServerRouterTest, AFolderThatChangedHandsShowsItsNewModelsServer) {
  Install("a/b_c");
  MakeReady("a/b_c");
  supervisor_.Fail("a_b_c", Unavailable("killed"));
  EXPECT_THAT(router_.Servers(), SizeIs(1));
  ASSERT_TRUE(models_.Remove("a/b_c").ok());
  EXPECT_THAT(router_.Servers(), IsEmpty());
  Install("a_b/c");
  EXPECT_EQ(router_.Server("a_b/c")->model, "a_b/c");
  EXPECT_EQ(StateOf("a_b/c"), ServerState::kStopped);
}

TEST_F(ServerRouterTest, AdoptedServersServeAtOnce) {
  Install("a/x");
  const ServerRecord record{.model = "a/x",
                            .folder_name = "a_x",
                            .state = ServerState::kReady,
                            .pid = 9,
                            .endpoint = "unix:///x.sock",
                            .reserved_bytes = 8};
  supervisor_.Adopt(record);
  ASSERT_TRUE(router_.Restore(*supervisor_.Begin()).ok());
  EXPECT_EQ(router_.Memory().reserved_bytes, 8);
  Acquired got;
  router_.Acquire("a/x", {}, got.Done());
  ASSERT_TRUE(got.ok());
  EXPECT_EQ((*got.value)->target().endpoint, "unix:///x.sock");
  EXPECT_THAT(supervisor_.starts(), IsEmpty());
}

TEST_F(ServerRouterTest, AServerAdoptedWhileItStartsIsWaitedFor) {
  for (const bool comes_up : {true, false}) {
    SCOPED_TRACE(comes_up);
    const std::string name = comes_up ? "a/up" : "a/down";
    const std::string folder = FolderNameFor(name);
    Install(name);
    const ServerRecord record{.model = name,
                              .folder_name = folder,
                              .state = ServerState::kStarting,
                              .pid = 9,
                              .reserved_bytes = 8};
    supervisor_.Adopt(record);
    ASSERT_TRUE(router_.Restore({record}).ok());
    Acquired got;
    router_.Acquire(name, {}, got.Done());
    EXPECT_EQ(got.calls, 0);
    if (comes_up) {
      supervisor_.Ready(folder, "unix:///x.sock");
      EXPECT_TRUE(got.ok());
    } else {
      supervisor_.Fail(folder, Unavailable("exit code 3"));
      EXPECT_EQ(got.code(), "server_failed");
    }
    EXPECT_EQ(got.calls, 1);
    EXPECT_THAT(supervisor_.starts(), IsEmpty());
  }
}

TEST_F(ServerRouterTest, AdoptedServersOfModelsThatAreGoneAreStopped) {
  supervisor_.Adopt({.model = "gone/x", .folder_name = "gone_x", .state = ServerState::kReady});
  ASSERT_TRUE(router_.Restore(*supervisor_.Begin()).ok());
  EXPECT_THAT(supervisor_.List(), IsEmpty());
  EXPECT_EQ(router_.Memory().reserved_bytes, 0);
}

TEST_F(ServerRouterTest, WhyAServerFailedIsRememberedAcrossARestart) {
  Install("a/x");
  for (const char* model : {"a/x", "gone/y"}) {
    ASSERT_TRUE(registry_
                    .PutServer({.model = model,
                                .folder_name = FolderNameFor(model),
                                .state = ServerState::kFailed,
                                .reason = "exit code 3"})
                    .ok());
  }
  ASSERT_TRUE(router_.Restore({}).ok());
  EXPECT_EQ(StateOf("a/x"), ServerState::kFailed);
  EXPECT_EQ(router_.Server("a/x")->reason, "exit code 3");
  EXPECT_THAT(router_.Servers(), SizeIs(1));
  EXPECT_THAT(*registry_.ListServers(), SizeIs(1)) << "that of a model that is gone is forgotten";
}

TEST_F(ServerRouterTest, ManyThreadsAcquireStopAndCancel) {
  Install("a/x");
  std::atomic<int> answers = 0;
  std::vector<std::thread> threads;
  // Plays the supervisor's loop: whatever starts becomes ready.
  Mutex mutex;
  CondVar news;
  int starting = 0;
  bool done = false;
  const auto subscription = events_.Subscribe([&](const Event& event) {
    const auto* changed = std::get_if<ServerChanged>(&event);
    if (changed == nullptr || changed->server.state != ServerState::kStarting) return;
    MutexLock lock(mutex);
    ++starting;
    news.NotifyAll();
  });
  std::thread loop([&] {
    MutexLock lock(mutex);
    for (;;) {
      while (starting == 0 && !done) news.Wait(mutex);
      if (starting == 0) return;
      starting = 0;
      mutex.Unlock();
      supervisor_.Ready("a_x", "unix:///x.sock");
      mutex.Lock();
    }
  });
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        CancelSource cancel;
        router_.Acquire("a/x", cancel.token(), [&answers](StatusOr<Lease>) { ++answers; });
        if (i % 3 == t) cancel.Cancel();
        if (i % 7 == t) router_.Stop("a/x", 0, [](const StatusOr<ServerRecord>&) {});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // The last ones may wait for a server that is starting.
  testing::Gate last;
  router_.Start("a/x", {}, [&last](const StatusOr<ServerRecord>&) { last.Open(); });
  last.Wait();
  {
    MutexLock lock(mutex);
    done = true;
    news.NotifyAll();
  }
  loop.join();
  EXPECT_EQ(answers, 900);
  EXPECT_EQ(router_.Server("a/x")->in_flight, 0);
}

}  // namespace
}  // namespace llmd::serving
