// What uv said when it failed, as an error with a stable code and a next step.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llmd::pyenv {

// uv's report: "error: ..." with its causes and hints, put together from its output.
struct UvReport {
  std::string error;
  std::vector<std::string> causes;  // outermost first, continuation lines joined
  std::string hint;
};

UvReport ReadUvReport(const std::vector<std::string>& lines);

// The error that `lines` (uv's output) mean. `doing` is what llmd was at, such as "resolving the
// packages"; `folder` is where it was at work.
Status UvError(const std::vector<std::string>& lines, std::string_view doing,
               const std::filesystem::path& folder);

}  // namespace llmd::pyenv
