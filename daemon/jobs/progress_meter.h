// ProgressMeter: from byte counts to a share, a smoothed rate and the time left. Pure: time is an
// argument. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "domain/progress.h"

namespace llmd::jobs {

class ProgressMeter {
 public:
  // Fewer bytes than before, or another total, begin a new measurement.
  void Update(const Progress& progress, SteadyTime now);

  const Progress& last() const { return last_; }
  // 0..1; 0 while the total is not known.
  double Share() const;
  // Bytes a second, smoothed over some seconds; nullopt until there is something to go by.
  std::optional<double> Rate() const { return rate_; }
  std::optional<double> SecondsLeft() const;

 private:
  Progress last_;
  // The measurement under way: where the present interval began.
  std::optional<SteadyTime> since_;
  int64_t bytes_at_since_ = 0;
  std::optional<double> rate_;
};

}  // namespace llmd::jobs
