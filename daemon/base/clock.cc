#include "base/clock.h"

#include <fmt/core.h>

#include <charconv>
#include <ctime>

namespace llmd {

WallTime SystemClock::Now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::Steady() const { return std::chrono::steady_clock::now(); }

std::string FormatTime(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t raw = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&raw, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     (time - seconds).count());
}

namespace {

// The number that `text` is, all of it and nothing but digits.
std::optional<int> Digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 0 && text.front() != '-' ? std::optional<int>(value) : std::nullopt;
}

}  // namespace

std::optional<WallTime> ParseTime(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size() || text.back() != 'Z') return std::nullopt;
  int fields[6];
  constexpr size_t kStarts[] = {0, 5, 8, 11, 14, 17};
  for (size_t i = 0; i < 6; ++i) {
    const size_t length = i == 0 ? 4 : 2;
    const std::optional<int> value = Digits(text.substr(kStarts[i], length));
    const size_t end = kStarts[i] + length;
    if (!value || (i < 5 && text[end] != kForm[end])) return std::nullopt;
    fields[i] = *value;
  }
  std::string_view fraction = text.substr(kForm.size(), text.size() - kForm.size() - 1);
  int micros = 0;
  if (!fraction.empty()) {
    if (fraction.size() < 2 || fraction.size() > 10 || fraction.front() != '.') return std::nullopt;
    std::string six(fraction.substr(1, 6));
    six.resize(6, '0');
    const std::optional<int> value = Digits(six);
    if (!value || !Digits(fraction.substr(1))) return std::nullopt;
    micros = *value;
  }
  const auto day = std::chrono::year(fields[0]) / fields[1] / fields[2];
  if (!day.ok() || fields[3] > 23 || fields[4] > 59 || fields[5] > 60) return std::nullopt;
  return WallTime(std::chrono::sys_days(day).time_since_epoch() + std::chrono::hours(fields[3]) +
                  std::chrono::minutes(fields[4]) + std::chrono::seconds(fields[5]) +
                  std::chrono::microseconds(micros));
}

}  // namespace llmd
