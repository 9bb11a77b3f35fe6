#include "jobs/progress_meter.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace llmd::jobs {
namespace {

// Shorter intervals say more about buffers than about the network.
constexpr double kShortestInterval = 0.5;
// After so many seconds of another speed, two thirds of the rate shown are the new one.
constexpr double kSmoothing = 5.0;

}  // namespace

void ProgressMeter::Update(const Progress& progress, SteadyTime now) {
  const bool fresh = !since_ || progress.bytes_done < last_.bytes_done ||
                     progress.bytes_total != last_.bytes_total;
  last_ = progress;
  if (fresh) {
    since_ = now;
    bytes_at_since_ = progress.bytes_done;
    rate_.reset();
    return;
  }
  const double seconds = std::chrono::duration<double>(now - *since_).count();
  if (seconds < kShortestInterval) return;
  const double measured = static_cast<double>(progress.bytes_done - bytes_at_since_) / seconds;
  const double weight = 1.0 - std::exp(-seconds / kSmoothing);
  rate_ = rate_ ? *rate_ + weight * (measured - *rate_) : measured;
  since_ = now;
  bytes_at_since_ = progress.bytes_done;
}

double ProgressMeter::Share() const {
  if (last_.bytes_total <= 0) return 0;
  const double share =
      static_cast<double>(last_.bytes_done) / static_cast<double>(last_.bytes_total);
  return std::clamp(share, 0.0, 1.0);
}

std::optional<double> ProgressMeter::SecondsLeft() const {
  if (!rate_ || *rate_ < 1.0 || last_.bytes_total <= 0) return std::nullopt;
  const int64_t left = std::max<int64_t>(0, last_.bytes_total - last_.bytes_done);
  return static_cast<double>(left) / *rate_;
}

}  // namespace llmd::jobs
