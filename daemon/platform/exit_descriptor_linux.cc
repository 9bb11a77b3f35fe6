#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "platform/exit_descriptor.h"

namespace llmd::platform {

StatusOr<FileDescriptor> OpenExitDescriptor(pid_t pid) {
  // The descriptor is close-on-exec by itself.
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd >= 0) return FileDescriptor(static_cast<int>(fd));
  const std::string what = fmt::format("cannot watch process {}", pid);
  return errno == ESRCH ? NotFound("{}: it is gone", what) : ErrnoStatus(errno, what);
}

}  // namespace llmd::platform
