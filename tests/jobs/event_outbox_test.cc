#include "jobs/event_outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <variant>

namespace llmd::jobs {
namespace {

using ::testing::ElementsAre;

int64_t SequenceOf(const Event& event) { return std::get<JobChanged>(event).event.sequence; }

TEST(EventOutboxTest, PublishesInTheOrderOfAdding) {
  EventStream events;
  std::vector<int64_t> seen;
  const auto subscription =
      events.Subscribe([&](const Event& e) { seen.push_back(SequenceOf(e)); });
  EventOutbox outbox(events);
  for (int64_t i = 1; i <= 3; ++i) outbox.Add({.sequence = i});
  EXPECT_TRUE(seen.empty());
  outbox.Flush();
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
}

TEST(EventOutboxTest, ASubscriberMayAddAndFlush) {
  EventStream events;
  EventOutbox outbox(events);
  std::vector<int64_t> seen;
  const auto subscription = events.Subscribe([&](const Event& event) {
    seen.push_back(SequenceOf(event));
    if (seen.size() == 1) {
      outbox.Add({.sequence = 2});
      outbox.Flush();
    }
  });
  outbox.Add({.sequence = 1});
  outbox.Flush();
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(EventOutboxTest, ManyThreadsLoseNothingAndKeepTheOrder) {
  EventStream events;
  EventOutbox outbox(events);
  std::vector<int64_t> seen;
  const auto subscription =
      events.Subscribe([&](const Event& e) { seen.push_back(SequenceOf(e)); });
  Mutex order;
  int64_t next = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        {
          MutexLock lock(order);
          outbox.Add({.sequence = ++next});
        }
        outbox.Flush();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(seen.size(), 2000u);
  for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], static_cast<int64_t>(i) + 1);
}

}  // namespace
}  // namespace llmd::jobs
