#include "app/home_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace llmd::app {
namespace {

// What the holder wrote: its process id.
std::string Holder(int fd) {
  char text[32] = {};
  const ssize_t got = ::pread(fd, text, sizeof(text) - 1, 0);
  std::string pid(text, got > 0 ? static_cast<size_t>(got) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

}  // namespace

StatusOr<HomeLock> HomeLock::Take(const std::filesystem::path& lock_file) {
  LLMD_ASSIGN_OR_RETURN(FileDescriptor fd, OpenFile(lock_file, O_RDWR | O_CREAT, 0600));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return ErrnoStatus(errno, fmt::format("cannot lock {}", lock_file.string()));
    }
    return MakeStatus(
        StatusCode::kAlreadyExists,
        fmt::format("another llmd (pid {}) runs on this home: {}", Holder(fd.get()),
                    lock_file.parent_path().parent_path().string()),
        {.code = "already_running",
         .next_step = "Use that one, end it with: llmctl system shutdown, or choose another home "
                      "with --home."});
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0) return ErrnoStatus(errno, "cannot write the lock file");
  LLMD_RETURN_IF_ERROR(WriteAll(fd.get(), pid));
  return HomeLock(std::move(fd));
}

}  // namespace llmd::app
