// posix_spawn for a ProcessSpec: part of process_launcher.cc. Thread-safe.
#pragma once

#include <sys/types.h>

#include "platform/process_launcher.h"

namespace llmd::platform {

// Starts the program and returns its pid. kNotFound when the program is not there.
StatusOr<pid_t> Spawn(const ProcessSpec& spec);

}  // namespace llmd::platform
