#include "pyenv/build_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace llmd::pyenv {
namespace {

constexpr auto kAskAgain = std::chrono::milliseconds(200);

}  // namespace

StatusOr<BuildLock> BuildLock::Take(const std::filesystem::path& folder,
                                    const std::function<void(std::string_view)>& say,
                                    const CancelToken& cancel) {
  const std::filesystem::path path = folder / ".environment.lock";
  LLMD_ASSIGN_OR_RETURN(FileDescriptor file, OpenFile(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  bool said = false;
  // A lock that is waited for cannot be cancelled, so it is asked for again and again.
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return ErrnoStatus(errno, fmt::format("cannot lock {}", path.string()));
    }
    if (!said && say) say("waiting for a build of an earlier llmd to end");
    said = true;
    if (cancel.WaitFor(kAskAgain)) return Cancelled();
  }
  return BuildLock(path, std::move(file));
}

BuildLock::~BuildLock() {
  // Only the holder removes it, so nobody can hold another file of this name.
  if (file_.valid()) ::unlink(path_.c_str());
}

}  // namespace llmd::pyenv
