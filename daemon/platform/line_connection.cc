#include "platform/line_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace llmd::platform {
namespace {

#if defined(MSG_NOSIGNAL)
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;  // SIGPIPE is ignored by our programs
#endif

bool IsTemporary(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

short LineConnection::events() const {
  return static_cast<short>(unsent_.empty() ? POLLIN : POLLIN | POLLOUT);
}

bool LineConnection::Send(std::string_view line) {
  unsent_.append(line);
  unsent_.push_back('\n');
  return Flush() && unsent_.size() <= max_unsent_;
}

bool LineConnection::Flush() {
  while (!unsent_.empty()) {
    const ssize_t sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), kSendFlags);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return IsTemporary(errno);
    unsent_.erase(0, static_cast<size_t>(sent));
  }
  return true;
}

bool LineConnection::Receive(const LineSplitter::OnLine& on_line) {
  char buffer[16 << 10];
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), buffer, sizeof(buffer), 0);
    if (got == 0) return false;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return IsTemporary(errno);
    lines_.Feed({buffer, static_cast<size_t>(got)}, on_line);
    // One full buffer at a time, so that a busy peer does not keep others waiting.
    if (static_cast<size_t>(got) == sizeof(buffer)) return true;
  }
}

}  // namespace llmd::platform
