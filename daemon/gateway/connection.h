// ClientConnection: a client's socket with its unread bytes, its deadline, and the watch that tells
// at once when the client has gone. Belongs to one io thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/io.h"

namespace llmd::gateway {

class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  ClientConnection(http::Socket socket, std::chrono::milliseconds write_limit);

  // Bytes that have come and were not used yet.
  std::string& unread() { return unread_; }

  // Appends what comes next to unread().
  http::asio::awaitable<http::ErrorCode> Fill();
  // Reads at least one byte into `room`; 0 at an error.
  http::asio::awaitable<size_t> ReadInto(char* room, size_t size);
  // Writes all; `buffers` is used up. The write limit runs while the client takes nothing.
  http::asio::awaitable<http::ErrorCode> Write(std::vector<http::asio::const_buffer>& buffers);

  // Calls `on_gone` once when the client closes while nobody reads. A client that sends its next
  // request early is read up to a bound, so that its end is still seen.
  void Watch(std::function<void()> on_gone);
  void Unwatch() { on_gone_ = nullptr; }

  void SetDeadline(std::chrono::milliseconds from_now) { deadline_.Set(from_now); }
  void ClearDeadline() { deadline_.Clear(); }
  bool deadline_expired() const { return deadline_.expired(); }

  // Tells the client that no more comes, and takes what it still sends for a moment: closing with
  // unread bytes would make its system throw our answer away.
  http::asio::awaitable<void> Linger();
  void Close();
  // Closes so that the client sees an error, not an end.
  void Reset();
  bool is_open() const { return socket_.is_open(); }

  http::asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  void Wait();
  void OnReadable();

  http::Socket socket_;
  http::Deadline deadline_;
  const std::chrono::milliseconds write_limit_;
  std::string unread_;
  std::function<void()> on_gone_;
  bool waiting_ = false;
};

}  // namespace llmd::gateway
