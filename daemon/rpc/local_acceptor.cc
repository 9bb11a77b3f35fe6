#include "rpc/local_acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/logging.h"

namespace llmd::rpc {
namespace {

// The user at the other end; -1 when it cannot be told.
int64_t PeerUser(int fd) {
#if defined(__linux__)
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
  return peer.uid;
#else
  uid_t user = 0;
  gid_t group = 0;
  return ::getpeereid(fd, &user, &group) == 0 ? static_cast<int64_t>(user) : -1;
#endif
}

bool SetFlags(int fd) {
  return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
         ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0;
}

StatusOr<FileDescriptor> Listen(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.size() >= sizeof(address.sun_path)) {
    return MakeStatus(StatusCode::kInvalidArgument,
                      fmt::format("the socket's path is too long: {}", name),
                      {.code = "path_too_long", .next_step = "Choose a shorter LLMD_HOME."});
  }
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (!fd.valid() || !SetFlags(fd.get())) return ErrnoStatus(errno, "cannot make a socket");
  ::unlink(name.c_str());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::chmod(name.c_str(), 0600) != 0 || ::listen(fd.get(), 128) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot listen on {}", name));
  }
  return fd;
}

}  // namespace

Status LocalAcceptor::Start(const std::filesystem::path& socket) {
  socket_ = socket;
  LLMD_ASSIGN_OR_RETURN(listener_, Listen(socket));
  int wake[2];
  if (::pipe(wake) != 0) return ErrnoStatus(errno, "cannot make a pipe");
  wake_read_ = FileDescriptor(wake[0]);
  wake_write_ = FileDescriptor(wake[1]);
  if (!SetFlags(wake[0]) || !SetFlags(wake[1])) return ErrnoStatus(errno, "cannot make a pipe");
  thread_ = JoiningThread("rpc-accept", [this] { Loop(); });
  return OkStatus();
}

void LocalAcceptor::Stop() {
  if (!listener_.valid()) return;
  wake_write_.Close();  // the other end sees it
  thread_.Join();
  listener_.Close();
  ::unlink(socket_.c_str());
}

void LocalAcceptor::Loop() {
  const int64_t own_user = ::geteuid();
  pollfd waits[] = {{listener_.get(), POLLIN, 0}, {wake_read_.get(), POLLIN, 0}};
  for (;;) {
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) return;
    if (waits[1].revents != 0) return;
    FileDescriptor connection(::accept(listener_.get(), nullptr, nullptr));
    if (!connection.valid()) {
      // Out of descriptors: waiting for the wake-up only keeps this loop from spinning.
      if (errno == EMFILE || errno == ENFILE) ::poll(&waits[1], 1, 100);
      continue;
    }
    if (!SetFlags(connection.get())) continue;
    const int64_t user = PeerUser(connection.get());
    if (user != own_user && user != 0) {
      Log("rpc").Warn("connection of another user refused", {{"user", std::to_string(user)}});
      continue;
    }
    on_connection_(std::move(connection));
  }
}

}  // namespace llmd::rpc
