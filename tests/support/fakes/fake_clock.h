// FakeClock: time that stands still until the test moves it. Thread-safe.
#pragma once

#include <chrono>

#include "base/clock.h"
#include "base/mutex.h"

namespace llmd::testing {

class FakeClock final : public Clock {
 public:
  // Begins at 2026-01-31T12:00:00Z.
  FakeClock() = default;

  WallTime Now() const override {
    MutexLock lock(mutex_);
    return now_;
  }
  SteadyTime Steady() const override {
    MutexLock lock(mutex_);
    return steady_;
  }

  void Advance(Duration duration) {
    MutexLock lock(mutex_);
    now_ += std::chrono::duration_cast<WallTime::duration>(duration);
    steady_ += std::chrono::duration_cast<SteadyTime::duration>(duration);
  }
  // Moves the wall clock only, as a person or NTP does.
  void JumpWall(Duration duration) {
    MutexLock lock(mutex_);
    now_ += std::chrono::duration_cast<WallTime::duration>(duration);
  }

 private:
  mutable Mutex mutex_;
  WallTime now_ LLMD_GUARDED_BY(mutex_){std::chrono::seconds(1'769'860'800)};
  SteadyTime steady_ LLMD_GUARDED_BY(mutex_){std::chrono::hours(1)};
};

}  // namespace llmd::testing
