// Exit codes of llmctl; documented in the README and by `llmctl --help`.
#pragma once

#include "base/status.h"

namespace llmd::client {

enum ExitCode {
  kDone = 0,
  kInternalError = 1,
  kUsage = 2,
  kImpossibleHere = 3,
  kNotAModel = 4,
  kUnreachable = 5,
  kNoDaemon = 6,
  kJobFailed = 7,
  kInterrupted = 130,
};

// By the stable code first, by the status code where that says nothing.
int ExitCodeFor(const Status& status);

}  // namespace llmd::client
