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

TEST(ParseTime, ReadsWhatFormatTimeWrites) {
  for (const int64_t micros :
       {int64_t{0}, int64_t{1'769'860'800'123'456}, int64_t{951'782'400'000'001}, int64_t{-1}}) {
    EXPECT_EQ(ParseTime(FormatTime(At(micros))), At(micros)) << micros;
  }
  EXPECT_EQ(ParseTime("1970-01-01T00:00:01Z"), At(1'000'000));
  EXPECT_EQ(ParseTime("1970-01-01T00:00:01.5Z"), At(1'500'000));
  EXPECT_EQ(ParseTime("1970-01-01T00:00:01.123456789Z"), At(1'123'456));
}

TEST(ParseTime, RefusesTheRest) {
  for (const char* text :
       {"", "Z", "1970-01-01", "1970-01-01T00:00:01", "1970-01-01T00:00:01+00:00",
        "1970-13-01T00:00:01Z", "1970-02-30T00:00:01Z", "1970-01-01T24:00:01Z",
        "1970-01-01T00:60:01Z", "1970-01-01 00:00:01Z", "1970-01-01T00:00:01.Z",
        "1970-01-01T00:00:01.5xZ", "1970-01-01T00:00:-1Z", "1970-01-01T00:00:01.1234567890Z"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
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
