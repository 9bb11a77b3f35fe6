#include "base/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>

namespace llmd {
namespace {

TEST(JoiningThreadTest, IsJoinedAtTheEndOfItsScope) {
  std::atomic<bool> ran = false;
  {
    const JoiningThread thread("scope", [&ran] { ran = true; });
  }
  EXPECT_TRUE(ran);
}

TEST(JoiningThreadTest, AssignmentJoinsTheOldOneFirst) {
  std::atomic<int> ran = 0;
  JoiningThread thread("one", [&ran] { ++ran; });
  thread = JoiningThread("two", [&ran] { ran += ran == 1 ? 10 : 100; });
  thread.Join();
  thread.Join();
  EXPECT_EQ(ran, 11);
}

TEST(JoiningThreadTest, LongNamesAreCut) {
  std::string name;
  JoiningThread("a-name-of-more-than-fifteen", [&name] {
    char buffer[64] = {};
    pthread_getname_np(pthread_self(), buffer, sizeof(buffer));
    name = buffer;
  }).Join();
  EXPECT_EQ(name, "a-name-of-more-");
}

}  // namespace
}  // namespace llmd
