#include "jobs/progress_meter.h"

#include <gtest/gtest.h>

#include <limits>

namespace llmd::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ProgressMeterTest : public ::testing::Test {
 protected:
  void At(milliseconds time, int64_t done, int64_t total = 1000) {
    meter_.Update({.bytes_done = done, .bytes_total = total}, SteadyTime(time));
  }
  ProgressMeter meter_;
};

TEST_F(ProgressMeterTest, KnowsNothingAtFirst) {
  EXPECT_EQ(meter_.Share(), 0);
  EXPECT_FALSE(meter_.Rate().has_value());
  EXPECT_FALSE(meter_.SecondsLeft().has_value());
  At(seconds(0), 0);
  EXPECT_FALSE(meter_.SecondsLeft().has_value());
}

TEST_F(ProgressMeterTest, ASteadyRateGivesTheTimeLeft) {
  for (int i = 0; i <= 5; ++i) At(seconds(i), 100 * i);
  EXPECT_DOUBLE_EQ(meter_.Share(), 0.5);
  EXPECT_NEAR(*meter_.Rate(), 100, 0.01);
  EXPECT_NEAR(*meter_.SecondsLeft(), 5, 0.01);
}

TEST_F(ProgressMeterTest, FrequentCallsAreMeasuredTogether) {
  for (int i = 0; i <= 1000; ++i) At(milliseconds(i), i * 2, 10'000);
  EXPECT_NEAR(*meter_.Rate(), 2000, 1);
}

TEST_F(ProgressMeterTest, AnotherSpeedComesThroughSlowly) {
  At(seconds(0), 0, 1'000'000);
  At(seconds(1), 1000, 1'000'000);
  At(seconds(2), 1000, 1'000'000);
  EXPECT_GT(*meter_.Rate(), 500);
  EXPECT_LT(*meter_.Rate(), 1000);
  for (int i = 3; i < 60; ++i) At(seconds(i), 1000, 1'000'000);
  EXPECT_LT(*meter_.Rate(), 1);
  EXPECT_FALSE(meter_.SecondsLeft().has_value()) << "a stalled transfer has no end in sight";
}

TEST_F(ProgressMeterTest, FewerBytesOrAnotherTotalBeginAnew) {
  At(seconds(0), 0);
  At(seconds(1), 500);
  ASSERT_TRUE(meter_.Rate().has_value());
  At(seconds(2), 100);
  EXPECT_FALSE(meter_.Rate().has_value());
  At(seconds(3), 300);
  ASSERT_TRUE(meter_.Rate().has_value());
  At(seconds(4), 300, 5000);
  EXPECT_FALSE(meter_.Rate().has_value());
}

TEST_F(ProgressMeterTest, AShareStaysBetweenNoughtAndOne) {
  At(seconds(0), 5, 0);
  EXPECT_EQ(meter_.Share(), 0);
  At(seconds(1), 2000, 1000);
  EXPECT_EQ(meter_.Share(), 1);
  At(seconds(2), -5, 1000);
  EXPECT_EQ(meter_.Share(), 0);
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  At(seconds(3), kMost, kMost);
  EXPECT_EQ(meter_.Share(), 1);
}

}  // namespace
}  // namespace llmd::jobs
