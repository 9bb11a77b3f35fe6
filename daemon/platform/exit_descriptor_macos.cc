#include <fcntl.h>
#include <signal.h>
#include <sys/event.h>
#include <unistd.h>

#include <cerrno>

#include "platform/exit_descriptor.h"
#include "platform/unix_socket.h"

namespace llmd::platform {

StatusOr<FileDescriptor> OpenExitDescriptor(pid_t pid) {
  FileDescriptor queue(::kqueue());
  if (!queue.valid()) return ErrnoStatus(errno, "kqueue");
  ::fcntl(queue.get(), F_SETFD, FD_CLOEXEC);
  struct kevent change {};
  EV_SET(&change, pid, EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, nullptr);
  if (::kevent(queue.get(), &change, 1, nullptr, 0, nullptr) == 0) return queue;
  if (errno != ESRCH) return ErrnoStatus(errno, fmt::format("cannot watch process {}", pid));
  // A child that has ended and was not waited for is not watched any more, yet it is there.
  if (::kill(pid, 0) != 0) return NotFound("cannot watch process {}: it is gone", pid);
  LLMD_ASSIGN_OR_RETURN(auto pipe, MakePipe());
  return std::move(pipe.first);  // its writing end is closed: readable at once
}

}  // namespace llmd::platform
