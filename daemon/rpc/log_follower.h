// LogFollower: feeds a log file to one client: the last lines, then what is added, across
// rotation. Reads on the pool, at the client's pace. Thread-safe.
#pragma once

#include <llmd/v1/servers.pb.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/mutex.h"
#include "platform/file_watcher.h"
#include "rpc/server_stream.h"
#include "rpc/work_pool.h"

namespace llmd::rpc {

class LogFollower : public std::enable_shared_from_this<LogFollower> {
 public:
  using Stream = ServerStream<v1::LogChunk>;
  struct Options {
    std::filesystem::path file;
    int tail_lines = 0;
    bool follow = false;
  };

  LogFollower(Options options, WorkPool& pool, std::shared_ptr<Stream> stream)
      : options_(std::move(options)), pool_(pool), stream_(std::move(stream)) {}

  // `watcher` is used when following. The stream ends by itself when not.
  void Begin(platform::FileWatcher& watcher);

 private:
  void Pump();
  void ReadSome();
  // True when there may be more to read at once.
  bool ReadOnce() LLMD_REQUIRES(mutex_);
  // Opens what has the file's name now.
  bool Open() LLMD_REQUIRES(mutex_);
  // True when the name belongs to another file than the open one: it was rotated.
  bool Replaced() const LLMD_REQUIRES(mutex_);

  const Options options_;
  WorkPool& pool_;
  const std::shared_ptr<Stream> stream_;
  std::unique_ptr<platform::FileWatcher::Watch> watch_;
  Mutex mutex_;
  std::string pending_ LLMD_GUARDED_BY(mutex_);  // the beginning of a character
  FileDescriptor file_ LLMD_GUARDED_BY(mutex_);
  uint64_t inode_ LLMD_GUARDED_BY(mutex_) = 0;
  bool reading_ LLMD_GUARDED_BY(mutex_) = false;
  bool again_ LLMD_GUARDED_BY(mutex_) = false;
};

}  // namespace llmd::rpc
