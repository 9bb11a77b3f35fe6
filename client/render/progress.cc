#include "render/progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/format.h"

namespace llmd::client {
namespace {

constexpr int kBarWidth = 24;
constexpr int kPlainPercentStep = 10;

}  // namespace

std::string FormatBar(const v1::Job& job, double rate, int width) {
  const double done = std::clamp(job.progress(), 0.0, 1.0);
  const int filled = static_cast<int>(std::lround(done * kBarWidth));
  std::string line = fmt::format(
      "{:<12} [{}{}] {:3.0f} %", Safe(job.step()), std::string(static_cast<size_t>(filled), '#'),
      std::string(static_cast<size_t>(kBarWidth - filled), '-'), std::floor(done * 100));
  if (job.bytes_total() > 0) {
    line +=
        fmt::format("  {} of {}", FormatBytes(job.bytes_done()), FormatBytes(job.bytes_total()));
  }
  if (rate > 0) line += fmt::format("  {}/s", FormatBytes(static_cast<int64_t>(rate)));
  if (job.has_eta_seconds()) line += fmt::format("  {} left", FormatSeconds(job.eta_seconds()));
  if (static_cast<int>(line.size()) >= width)
    line.resize(static_cast<size_t>(std::max(width - 1, 10)));
  return line;
}

void JobProgress::Show(const v1::JobEvent& event) {
  if (quiet_) return;
  const v1::Job& job = event.job();
  if (event.type() == "progress") {
    UpdateRate(job);
    DrawBar(job);
    return;
  }
  if (event.type() == "step") {
    rate_ = 0;
    last_bytes_ = 0;
    last_percent_ = -1;
    last_time_ = {};
    PrintLine(fmt::format("{} {}", terminal_.error_is_terminal() ? "•" : "-", Safe(job.step())));
  } else if (event.type() == "log") {
    PrintLine("  " + Safe(event.message()));
  }
}

void JobProgress::UpdateRate(const v1::Job& job) {
  const auto now = std::chrono::steady_clock::now();
  if (last_time_ != std::chrono::steady_clock::time_point{}) {
    const double seconds = std::chrono::duration<double>(now - last_time_).count();
    if (seconds < 0.05) return;
    const double current = static_cast<double>(job.bytes_done() - last_bytes_) / seconds;
    rate_ = rate_ == 0 ? current : 0.7 * rate_ + 0.3 * std::max(current, 0.0);
  }
  last_time_ = now;
  last_bytes_ = job.bytes_done();
}

void JobProgress::DrawBar(const v1::Job& job) {
  if (job.bytes_total() <= 0) return;
  if (terminal_.error_is_terminal()) {
    fmt::print(out_, "\r\x1b[2K{}", FormatBar(job, rate_, terminal_.width()));
    std::fflush(out_);
    bar_shown_ = true;
    return;
  }
  const int percent =
      static_cast<int>(job.progress() * 100) / kPlainPercentStep * kPlainPercentStep;
  if (percent == last_percent_) return;
  last_percent_ = percent;
  fmt::print(out_, "  {} % of {}\n", percent, FormatBytes(job.bytes_total()));
  std::fflush(out_);
}

void JobProgress::PrintLine(const std::string& line) {
  Clear();
  fmt::print(out_, "{}\n", line);
  std::fflush(out_);
}

void JobProgress::Clear() {
  if (!bar_shown_) return;
  fmt::print(out_, "\r\x1b[2K");
  std::fflush(out_);
  bar_shown_ = false;
}

}  // namespace llmd::client
