// FileWatcher: tells when a file has grown, was made or was replaced, as the system says it;
// nothing polls. One thread for all watches. Thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/status.h"

namespace llmd::platform {

class FileWatcher {
 public:
  // Ends its watch when destroyed; after that no new call begins. The FileWatcher must outlive it.
  class Watch {
   public:
    virtual ~Watch() = default;
  };

  virtual ~FileWatcher() = default;

  // `changed` is called on the watcher's thread and must not block; several changes may be told as
  // one. The file need not be there yet, its folder must.
  virtual StatusOr<std::unique_ptr<Watch>> Add(const std::filesystem::path& file,
                                               std::function<void()> changed) = 0;
};

StatusOr<std::unique_ptr<FileWatcher>> MakeFileWatcher();

}  // namespace llmd::platform
