#include "rpc/work_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

namespace llmd::rpc {
namespace {

TEST(WorkPool, RunsWhatIsQueuedBeforeItEnds) {
  std::atomic<int> ran{0};
  {
    WorkPool pool(2);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(pool.Run([&ran] { ++ran; }));
  }
  EXPECT_EQ(ran, 100);
}

TEST(WorkPool, RefusesWhenFull) {
  std::promise<void> release;
  std::promise<void> begun;
  const std::shared_future<void> released = release.get_future().share();
  WorkPool pool(1, /*max_waiting=*/1);
  ASSERT_TRUE(pool.Run([&begun, released] {
    begun.set_value();
    released.wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(pool.Run([] {}));
  EXPECT_FALSE(pool.Run([] {}));
  release.set_value();
}

}  // namespace
}  // namespace llmd::rpc
