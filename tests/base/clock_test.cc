#include "base/clock.h"

#include <gtest/gtest.h>

#include "support/fakes/fake_clock.h"

namespace llmd {
namespace {

WallTime At(int64_t microseconds) { return WallTime(std::chrono::microseconds(microseconds)); }

TEST(ClockTest, TimesAreRfc3339InUtcWithMicroseconds) {
  EXPECT_EQ(FormatTime(At(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatTime(At(1'769'860'800'123'456)), "2026-01-31T12:00:00.123456Z");
  EXPECT_EQ(FormatTime(At(951'782'400'000'000)), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(FormatTime(At(-1)), "1969-12-31T23:59:59.999999Z");
}

TEST(ClockTest, TheSystemsClockGoesForward) {
  const SystemClock clock;
  const SteadyTime before = clock.Steady();
  EXPECT_GE(clock.Steady(), before);
  EXPECT_GT(clock.Now(), At(1'700'000'000'000'000));
}

TEST(ClockTest, TheFakeMovesOnlyWhenTold) {
  testing::FakeClock clock;
  const WallTime now = clock.Now();
  const SteadyTime steady = clock.Steady();
  EXPECT_EQ(FormatTime(now), "2026-01-31T12:00:00.000000Z");
  clock.Advance(std::chrono::seconds(3));
  EXPECT_EQ(clock.Now() - now, std::chrono::seconds(3));
  EXPECT_EQ(clock.Steady() - steady, std::chrono::seconds(3));
  clock.JumpWall(-std::chrono::hours(1));
  EXPECT_EQ(clock.Steady() - steady, std::chrono::seconds(3));
  EXPECT_LT(clock.Now(), now);
}

}  // namespace
}  // namespace llmd
