// Sums and products of sizes that stop at 2^62 instead of overflowing. Numbers must not be
// negative.
#pragma once

#include <cmath>
#include <cstdint>

namespace llmd::planner {

inline constexpr int64_t kMostBytes = int64_t{1} << 62;

inline int64_t Times(int64_t a, int64_t b) {
  return a != 0 && b > kMostBytes / a ? kMostBytes : a * b;
}

inline int64_t Plus(int64_t a, int64_t b) { return a > kMostBytes - b ? kMostBytes : a + b; }

inline int64_t Scale(int64_t bytes, double factor) {
  const double scaled = static_cast<double>(bytes) * factor;
  return scaled >= static_cast<double>(kMostBytes) ? kMostBytes
                                                   : static_cast<int64_t>(std::llround(scaled));
}

}  // namespace llmd::planner
