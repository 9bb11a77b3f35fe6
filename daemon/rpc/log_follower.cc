#include "rpc/log_follower.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "rpc/utf8.h"

namespace llmd::rpc {
namespace {

constexpr size_t kPiece = 32u << 10;
constexpr int64_t kMaxTailBytes = 4 << 20;
constexpr int kDefaultTailLines = 200;
constexpr size_t kMaxWaiting = 8;  // pieces

// Where the last `lines` lines of an open file begin.
int64_t TailOffset(int fd, int lines) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) return 0;
  const int64_t size = facts.st_size;
  const int64_t start = std::max<int64_t>(0, size - kMaxTailBytes);
  std::string bytes(static_cast<size_t>(size - start), '\0');
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), start);
  if (got <= 0) return size;
  bytes.resize(static_cast<size_t>(got));
  size_t at = bytes.size();
  if (at > 0 && bytes[at - 1] == '\n') --at;
  for (int found = 0; at > 0; --at) {
    if (bytes[at - 1] == '\n' && ++found == lines) break;
  }
  return start + static_cast<int64_t>(at);
}

}  // namespace

void LogFollower::Begin(platform::FileWatcher& watcher) {
  const auto pump = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Pump();
  };
  stream_->OnDrained(pump);
  if (options_.follow) {
    auto watch = watcher.Add(options_.file, pump);
    if (!watch.ok()) return stream_->Close(watch.status());
    watch_ = std::move(*watch);
  }
  {
    MutexLock lock(mutex_);
    if (Open()) {
      const int lines = options_.tail_lines > 0 ? options_.tail_lines : kDefaultTailLines;
      ::lseek(file_.get(), TailOffset(file_.get(), lines), SEEK_SET);
    }
  }
  Pump();
}

void LogFollower::Pump() {
  {
    MutexLock lock(mutex_);
    again_ = true;
    if (reading_) return;
    reading_ = true;
  }
  if (!pool_.Run([self = shared_from_this()] { self->ReadSome(); })) stream_->Close(BusyStatus());
}

void LogFollower::ReadSome() {
  MutexLock lock(mutex_);
  while (std::exchange(again_, false)) {
    // What waits for the client is bounded; the rest is read when that has been sent.
    while (stream_->queued() < kMaxWaiting) {
      if (ReadOnce()) continue;
      if (!options_.follow) stream_->Close(OkStatus());
      break;
    }
  }
  reading_ = false;
}

bool LogFollower::ReadOnce() {
  if (!file_.valid() && !Open()) return false;
  char buffer[kPiece];
  const ssize_t got = ::read(file_.get(), buffer, sizeof(buffer));
  if (got > 0) {
    pending_.append(buffer, static_cast<size_t>(got));
    v1::LogChunk chunk;
    chunk.set_text(TakeUtf8(pending_));
    return chunk.text().empty() || stream_->Push(std::move(chunk));
  }
  return Replaced() && Open();
}

bool LogFollower::Replaced() const {
  struct stat facts {};
  return ::stat(options_.file.c_str(), &facts) == 0 && facts.st_ino != inode_;
}

bool LogFollower::Open() {
  StatusOr<FileDescriptor> file = OpenFile(options_.file, O_RDONLY);
  struct stat facts {};
  if (!file.ok() || ::fstat(file->get(), &facts) != 0) return false;
  file_ = std::move(*file);
  inode_ = facts.st_ino;
  return true;
}

}  // namespace llmd::rpc
