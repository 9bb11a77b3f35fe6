#include "base/broadcast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace llmd {
namespace {

using ::testing::ElementsAre;

TEST(BroadcastTest, EverySubscriberHearsEveryValueInOrder) {
  Broadcast<int> hub;
  std::vector<int> a;
  std::vector<int> b;
  const auto first = hub.Subscribe([&a](int value) { a.push_back(value); });
  hub.Publish(1);
  const auto second = hub.Subscribe([&b](int value) { b.push_back(value); });
  hub.Publish(2);
  hub.Publish(3);
  EXPECT_THAT(a, ElementsAre(1, 2, 3));
  EXPECT_THAT(b, ElementsAre(2, 3));
}

TEST(BroadcastTest, ASubscriptionEndsWithItsObject) {
  Broadcast<int> hub;
  int calls = 0;
  {
    auto subscription = hub.Subscribe([&calls](int) { ++calls; });
    hub.Publish(1);
    auto moved = std::move(subscription);
    hub.Publish(2);
    moved.Reset();
    moved.Reset();
    hub.Publish(3);
  }
  hub.Publish(4);
  EXPECT_EQ(calls, 2);
}

TEST(BroadcastTest, ASubscriberMayUnsubscribeWithinACall) {
  Broadcast<int> hub;
  int calls = 0;
  Broadcast<int>::Subscription subscription;
  subscription = hub.Subscribe([&](int) {
    ++calls;
    subscription.Reset();
  });
  hub.Publish(1);
  hub.Publish(2);
  EXPECT_EQ(calls, 1);
}

TEST(BroadcastTest, AllSubscribersSeeOneOrderOfSeveralPublishers) {
  Broadcast<int> hub;
  std::vector<int> a;
  std::vector<int> b;
  const auto first = hub.Subscribe([&a](int value) { a.push_back(value); });
  const auto second = hub.Subscribe([&b](int value) { b.push_back(value); });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&hub, t] {
      for (int i = 0; i < 1000; ++i) hub.Publish(t * 1000 + i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(a.size(), 4000u);
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace llmd
