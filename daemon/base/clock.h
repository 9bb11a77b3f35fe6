// Time as a dependency. Thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace llmd {

using Duration = std::chrono::nanoseconds;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;       // for people and files; may jump
  virtual SteadyTime Steady() const = 0;  // for durations and deadlines
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  WallTime Now() const override;
  SteadyTime Steady() const override;
};

// "2026-01-31T12:00:00.123456Z": RFC 3339, UTC, microseconds.
std::string FormatTime(WallTime time);

// Reads what FormatTime writes, with any number of digits of a second; nullopt for anything else.
std::optional<WallTime> ParseTime(std::string_view text);

}  // namespace llmd
