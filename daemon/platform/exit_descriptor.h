// Waiting for the end of a process in a poll loop. Thread-safe.
#pragma once

#include <sys/types.h>

#include "base/file.h"
#include "base/status.h"

namespace llmd::platform {

// A descriptor that becomes readable when the process ends (at once when it has): a pidfd on Linux,
// a kqueue on macOS. It need not be our child. kNotFound when there is no such process.
StatusOr<FileDescriptor> OpenExitDescriptor(pid_t pid);

}  // namespace llmd::platform
