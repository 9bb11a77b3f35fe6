// HTTP by hand over blocking sockets, for tests that must see and send exact bytes. Every wait ends
// after 20 s, which no passing test reaches.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace llmd::testing {

// One end of a connection. Not thread-safe, except that Shutdown may be called from anywhere.
class RawConnection {
 public:
  RawConnection() = default;
  explicit RawConnection(int fd) : fd_(fd) {
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  RawConnection(RawConnection&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), pending_(std::move(other.pending_)) {}
  RawConnection& operator=(RawConnection&& other) noexcept {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    pending_ = std::move(other.pending_);
    return *this;
  }
  ~RawConnection() { Close(); }

  static RawConnection ToPort(int port, int receive_buffer = 0) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer > 0) {
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::close(fd);
      return {};
    }
    return RawConnection(fd);
  }

  bool valid() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  // False when the peer is gone.
  bool Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  // What is there, waiting for the first byte; empty at the end.
  std::string ReadSome() {
    if (!pending_.empty()) return std::exchange(pending_, {});
    std::string bytes(64u << 10, '\0');
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
  }
  // Up to and with `mark`; nothing when the peer ends before.
  std::optional<std::string> ReadUntil(std::string_view mark) {
    std::string text = ReadSome();
    for (;;) {
      if (const size_t at = text.find(mark); at != text.npos) {
        pending_.insert(0, text.substr(at + mark.size()));
        text.resize(at + mark.size());
        return text;
      }
      const std::string more = ReadSome();
      if (more.empty()) {
        pending_ = text;
        return std::nullopt;
      }
      text += more;
    }
  }
  std::optional<std::string> ReadExactly(size_t size) {
    std::string text;
    while (text.size() < size) {
      const std::string more = ReadSome();
      if (more.empty()) return std::nullopt;
      text += more;
    }
    pending_.insert(0, text.substr(size));
    text.resize(size);
    return text;
  }
  std::string ReadToEnd() {
    std::string text;
    for (std::string more = ReadSome(); !more.empty(); more = ReadSome()) text += more;
    return text;
  }
  // Waits for the peer to close; false when it sends something instead, or nothing for 20 s.
  bool WaitForEnd() {
    if (!pending_.empty()) return false;
    char byte;
    const ssize_t got = ::recv(fd_, &byte, 1, 0);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  }
  void FinishWriting() { ::shutdown(fd_, SHUT_WR); }
  void Shutdown() { ::shutdown(fd_, SHUT_RDWR); }
  // Closes so that the peer sees a reset.
  void Reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
  std::string pending_;
};

inline std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Head lines by lower-case name; the first line under "".
inline std::map<std::string, std::string> ParseLines(std::string_view head) {
  std::map<std::string, std::string> lines;
  bool first = true;
  while (!head.empty()) {
    const size_t end = std::min(head.find("\r\n"), head.size());
    const std::string line(head.substr(0, end));
    head.remove_prefix(std::min(end + 2, head.size()));
    const size_t colon = line.find(": ");
    if (std::exchange(first, false)) {
      lines[""] = line;
    } else if (colon != line.npos) {
      lines[LowerCase(line.substr(0, colon))] = line.substr(colon + 2);
    }
  }
  return lines;
}

// A message as it was read. `complete`: its end was seen.
struct RawMessage {
  std::string head;
  std::map<std::string, std::string> fields;
  std::string body;
  bool complete = false;

  const std::string& first_line() const { return fields.at(""); }
  int status() const { return head.size() > 12 ? std::atoi(head.c_str() + 9) : 0; }
  std::string field(const std::string& name) const {
    const auto at = fields.find(name);
    return at == fields.end() ? std::string() : at->second;
  }
};

// Reads a chunked body to its last chunk.
inline bool ReadChunks(RawConnection& connection, std::string& body) {
  for (;;) {
    const auto line = connection.ReadUntil("\r\n");
    if (!line) return false;
    const size_t size = std::strtoul(line->c_str(), nullptr, 16);
    auto data = connection.ReadExactly(size);
    if (!data || !connection.ReadUntil("\r\n")) return false;
    if (size == 0) return true;
    body += *data;
  }
}

// One request or response; nothing when the peer ends before its head does.
inline std::optional<RawMessage> ReadMessage(RawConnection& connection, bool to_head = false) {
  auto head = connection.ReadUntil("\r\n\r\n");
  if (!head) return std::nullopt;
  RawMessage message;
  message.head = *head;
  message.fields = ParseLines(*head);
  const bool response = head->starts_with("HTTP/");
  if (to_head || message.status() == 204 || message.status() == 304) {
    message.complete = true;
  } else if (message.field("transfer-encoding") == "chunked") {
    message.complete = ReadChunks(connection, message.body);
  } else if (message.fields.contains("content-length")) {
    const auto body = connection.ReadExactly(std::stoul(message.field("content-length")));
    message.body = body.value_or("");
    message.complete = body.has_value();
  } else {
    if (response) message.body = connection.ReadToEnd();
    message.complete = true;
  }
  return message;
}

inline std::string Chunk(std::string_view bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

}  // namespace llmd::testing
