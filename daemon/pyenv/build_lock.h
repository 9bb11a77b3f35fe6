// BuildLock: one build at a time in a folder, over the end of llmd. The programs of a build inherit
// the lock, so that a uv that outlives a killed llmd is waited for instead of being worked against.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "base/cancel.h"
#include "base/file.h"

namespace llmd::pyenv {

class BuildLock {
 public:
  // Waits until no other build is at work in `folder`; `say` is called once when there is one.
  static StatusOr<BuildLock> Take(const std::filesystem::path& folder,
                                  const std::function<void(std::string_view)>& say,
                                  const CancelToken& cancel);
  BuildLock(BuildLock&&) noexcept = default;
  BuildLock& operator=(BuildLock&&) = delete;
  ~BuildLock();

  // For the programs of this build.
  int descriptor() const { return file_.get(); }

 private:
  BuildLock(std::filesystem::path path, FileDescriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::filesystem::path path_;
  FileDescriptor file_;
};

}  // namespace llmd::pyenv
