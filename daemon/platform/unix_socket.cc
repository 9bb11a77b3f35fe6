#include "platform/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace llmd::platform {
namespace {

StatusOr<sockaddr_un> AddressOf(const std::filesystem::path& path) {
  const std::string& text = path.native();
  if (text.size() > MaxSocketPath()) {
    return MakeStatus(StatusCode::kInvalidArgument,
                      fmt::format("the socket path {} has {} bytes, at most {} are possible", text,
                                  text.size(), MaxSocketPath()),
                      {.code = "socket_path_too_long", .next_step = "Choose a shorter LLMD_HOME."});
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Status SetCloseOnExec(int fd) {
  return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? OkStatus() : ErrnoStatus(errno, "close-on-exec");
}

StatusOr<FileDescriptor> MakeSocket() {
#if defined(__linux__)
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot make a socket");
#else
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot make a socket");
  LLMD_RETURN_IF_ERROR(SetCloseOnExec(fd.get()));
  LLMD_RETURN_IF_ERROR(SetNonBlocking(fd.get()));
#endif
  return fd;
}

}  // namespace

size_t MaxSocketPath() { return sizeof(sockaddr_un{}.sun_path) - 1; }

StatusOr<FileDescriptor> ListenUnix(const std::filesystem::path& path, int backlog) {
  LLMD_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  LLMD_ASSIGN_OR_RETURN(FileDescriptor fd, MakeSocket());
  ::unlink(path.c_str());
  if (::bind(fd.get(), Generic(address), sizeof(address)) != 0 ||
      ::listen(fd.get(), backlog) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot listen at {}", path.string()));
  }
  return fd;
}

StatusOr<FileDescriptor> ConnectUnix(const std::filesystem::path& path) {
  LLMD_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  LLMD_ASSIGN_OR_RETURN(FileDescriptor fd, MakeSocket());
  // A Unix socket connects at once or not at all: EAGAIN means that the queue there is full.
  while (::connect(fd.get(), Generic(address), sizeof(address)) != 0) {
    if (errno == EINTR) continue;
    const int error = errno == EAGAIN ? ECONNREFUSED : errno;
    return ErrnoStatus(error, fmt::format("cannot connect to {}", path.string()));
  }
  return fd;
}

StatusOr<FileDescriptor> AcceptUnix(int listener) {
#if defined(__linux__)
  FileDescriptor fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
#else
  FileDescriptor fd(::accept(listener, nullptr, nullptr));
#endif
  if (!fd.valid()) {
    if (errno == EMFILE || errno == ENFILE) return ErrnoStatus(errno, "cannot accept");
    return Unavailable("no connection is waiting");
  }
#if !defined(__linux__)
  LLMD_RETURN_IF_ERROR(SetCloseOnExec(fd.get()));
  LLMD_RETURN_IF_ERROR(SetNonBlocking(fd.get()));
#endif
  return fd;
}

StatusOr<std::pair<FileDescriptor, FileDescriptor>> SocketPair() {
  int ends[2];
#if defined(__linux__)
  constexpr int kType = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
#else
  constexpr int kType = SOCK_STREAM;
#endif
  if (::socketpair(AF_UNIX, kType, 0, ends) != 0) return ErrnoStatus(errno, "socketpair");
  std::pair<FileDescriptor, FileDescriptor> pair{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  for (const int end : ends) {
    LLMD_RETURN_IF_ERROR(SetCloseOnExec(end));
    LLMD_RETURN_IF_ERROR(SetNonBlocking(end));
  }
  return pair;
}

StatusOr<std::pair<FileDescriptor, FileDescriptor>> MakePipe() {
  int ends[2];
#if defined(__linux__)
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
#else
  if (::pipe(ends) != 0) return ErrnoStatus(errno, "pipe");
#endif
  std::pair<FileDescriptor, FileDescriptor> pair{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  for (const int end : ends) LLMD_RETURN_IF_ERROR(SetCloseOnExec(end));
  return pair;
}

Status SetNonBlocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    return ErrnoStatus(errno, "non-blocking");
  }
  return OkStatus();
}

StatusOr<Peer> PeerOf(int fd) {
#if defined(__linux__)
  ucred facts{};
  socklen_t size = sizeof(facts);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &facts, &size) != 0) {
    return ErrnoStatus(errno, "peer credentials");
  }
  return Peer{.user = facts.uid, .pid = facts.pid};
#else
  Peer peer;
  gid_t group = 0;
  if (::getpeereid(fd, &peer.user, &group) != 0) return ErrnoStatus(errno, "peer credentials");
  socklen_t size = sizeof(peer.pid);
  if (::getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &peer.pid, &size) != 0) peer.pid = 0;
  return peer;
#endif
}

}  // namespace llmd::platform
