// LineConnection: lines over a non-blocking stream socket, in bounded memory. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/file.h"
#include "platform/line_splitter.h"

namespace llmd::platform {

class LineConnection {
 public:
  // Longer lines are cut; a peer that lets `max_unsent` bytes wait is given up.
  LineConnection(FileDescriptor socket, size_t max_line, size_t max_unsent)
      : socket_(std::move(socket)), max_unsent_(max_unsent), lines_(max_line) {}

  int fd() const { return socket_.get(); }
  // What to wait for with poll(2).
  short events() const;
  bool has_unsent() const { return !unsent_.empty(); }

  // Sends the line, or keeps it until the peer reads. False when the connection is lost.
  [[nodiscard]] bool Send(std::string_view line);
  // After POLLOUT. False when the connection is lost.
  [[nodiscard]] bool Flush();
  // After POLLIN: calls `on_line` for each whole line that has come. False when the peer has hung
  // up or the connection is lost.
  [[nodiscard]] bool Receive(const LineSplitter::OnLine& on_line);

 private:
  FileDescriptor socket_;
  size_t max_unsent_;
  LineSplitter lines_;
  std::string unsent_;
};

}  // namespace llmd::platform
