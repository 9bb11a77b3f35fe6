// Shows a job while it runs: a bar with bytes, rate and time left on a terminal, plain lines
// elsewhere. Everything goes to stderr; stdout is for results.
#pragma once

#include <llmd/v1/jobs.pb.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "render/terminal.h"

namespace llmd::client {

class JobProgress {
 public:
  JobProgress(const Terminal& terminal, bool quiet, std::FILE* out = stderr)
      : terminal_(terminal), quiet_(quiet), out_(out) {}
  ~JobProgress() { Clear(); }

  void Show(const v1::JobEvent& event);
  // Takes the bar off the screen.
  void Clear();

 private:
  void PrintLine(const std::string& line);
  void DrawBar(const v1::Job& job);
  void UpdateRate(const v1::Job& job);

  const Terminal& terminal_;
  const bool quiet_;
  std::FILE* const out_;
  bool bar_shown_ = false;
  double rate_ = 0;  // bytes a second
  int64_t last_bytes_ = 0;
  std::chrono::steady_clock::time_point last_time_{};
  int last_percent_ = -1;
};

// "[#####-----]  48 %  46.1 MiB of 93.8 MiB  12.0 MiB/s  4 s left", cut to `width` columns.
std::string FormatBar(const v1::Job& job, double rate, int width);

}  // namespace llmd::client
