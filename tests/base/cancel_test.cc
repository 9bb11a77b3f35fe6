#include "base/cancel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "support/gate.h"

namespace llmd {
namespace {

using testing::Gate;

TEST(CancelTest, ATokenHearsItsSource) {
  CancelSource source;
  const CancelToken token = source.token();
  EXPECT_FALSE(token.IsCancelled());
  EXPECT_TRUE(token.Check().ok());
  source.Cancel();
  source.Cancel();
  EXPECT_TRUE(token.IsCancelled());
  EXPECT_EQ(token.Check().code(), StatusCode::kCancelled);
  EXPECT_TRUE(token.WaitFor(std::chrono::hours(1)));
}

TEST(CancelTest, ATokenWithoutSourceIsNeverCancelled) {
  const CancelToken token;
  EXPECT_FALSE(token.IsCancelled());
  EXPECT_FALSE(token.WaitFor(std::chrono::nanoseconds(1)));
  const CancelRegistration registration = token.OnCancel([] { FAIL(); });
}

TEST(CancelTest, CallbacksAreCalledOnce) {
  CancelSource source;
  int early = 0;
  int late = 0;
  int gone = 0;
  const CancelRegistration kept = source.token().OnCancel([&early] { ++early; });
  {
    const CancelRegistration dropped = source.token().OnCancel([&gone] { ++gone; });
  }
  source.Cancel();
  source.Cancel();
  const CancelRegistration after = source.token().OnCancel([&late] { ++late; });
  EXPECT_EQ(early, 1);
  EXPECT_EQ(late, 1);
  EXPECT_EQ(gone, 0);
}

TEST(CancelTest, ATokenOutlivesItsSource) {
  std::optional<CancelSource> source(std::in_place);
  const CancelToken token = source->token();
  source.reset();
  EXPECT_FALSE(token.IsCancelled());
}

TEST(CancelTest, AWaiterIsWoken) {
  CancelSource source;
  Gate waiting;
  std::thread waiter([&] {
    waiting.Open();
    EXPECT_TRUE(source.token().WaitFor(std::chrono::hours(1)));
  });
  waiting.Wait();
  source.Cancel();
  waiter.join();
}

TEST(CancelTest, AChildIsCancelledWithItsParentAndNotTheOtherWay) {
  CancelSource parent;
  CancelSource child(parent.token());
  CancelSource other(parent.token());
  other.Cancel();
  EXPECT_FALSE(parent.token().IsCancelled());
  EXPECT_FALSE(child.token().IsCancelled());
  parent.Cancel();
  EXPECT_TRUE(child.token().IsCancelled());
  EXPECT_TRUE(CancelSource(parent.token()).token().IsCancelled());
  { CancelSource gone(parent.token()); }
  EXPECT_FALSE(CancelSource(CancelToken()).token().IsCancelled());
}

TEST(CancelTest, ACallbackMayDropItsOwnRegistration) {
  CancelSource source;
  CancelRegistration registration;
  int calls = 0;
  registration = source.token().OnCancel([&] {
    ++calls;
    registration = {};
  });
  source.Cancel();
  EXPECT_EQ(calls, 1);
}

TEST(CancelTest, DroppingARegistrationWaitsForItsCallback) {
  CancelSource source;
  Gate began;
  Gate go_on;
  std::atomic<bool> ended = false;
  auto registration = source.token().OnCancel([&] {
    began.Open();
    go_on.Wait();
    ended = true;
  });
  std::thread canceller([&] { source.Cancel(); });
  began.Wait();
  std::thread opener([&] { go_on.Open(); });
  registration = {};
  EXPECT_TRUE(ended);
  opener.join();
  canceller.join();
}

// With two threads calling Cancel, each at a callback of its own, Release knew of one of them only.
TEST(CancelTest, ASecondCancelDoesNotHideARunningCallback) {
  CancelSource source;
  Gate began;
  Gate go_on;
  std::atomic<bool> ended = false;
  auto first = source.token().OnCancel([&] {
    began.Open();
    go_on.Wait();
    ended = true;
  });
  const auto second = source.token().OnCancel([] {});
  std::thread canceller([&] { source.Cancel(); });
  began.Wait();
  source.Cancel();
  std::thread opener([&] { go_on.Open(); });
  first = {};
  EXPECT_TRUE(ended);
  opener.join();
  canceller.join();
}

TEST(CancelTest, RegisteringAndCancellingRaceFairly) {
  for (int round = 0; round < 200; ++round) {
    CancelSource source;
    std::atomic<int> calls = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        const CancelRegistration kept = source.token().OnCancel([&calls] { ++calls; });
        source.token().WaitFor(std::chrono::hours(1));
        // Called by now or in a moment, never twice: dropping it waits.
      });
    }
    source.Cancel();
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(calls, 3);
  }
}

}  // namespace
}  // namespace llmd
