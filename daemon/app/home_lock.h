// HomeLock: one llmd per home. Held by flock on run/llmd.lock for as long as the object lives; the
// kernel lets go of it however the process ends.
#pragma once

#include <filesystem>

#include "base/file.h"
#include "base/status.h"

namespace llmd::app {

class HomeLock {
 public:
  // kAlreadyExists (code "already_running") names the process that holds it.
  static StatusOr<HomeLock> Take(const std::filesystem::path& lock_file);

 private:
  explicit HomeLock(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace llmd::app
