// Sockets of this process, below HTTP: connecting, writing everything, deadlines. For http/ and
// gateway/ only. An object belongs to one io thread and is used there.
//
// g++ 12 miscompiles an awaited expression with temporaries in it: one co_await a statement, its
// operands names, std::move(name), literals and calls with those.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "http/endpoint.h"

namespace llmd::http {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;  // Unix or TCP
inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Calls `on_expiry` once the time set last has passed. Moving it is cheap: the timer underneath is
// touched only when it fires.
class Deadline {
 public:
  Deadline(const asio::any_io_executor& executor, std::function<void()> on_expiry);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

  void Set(std::chrono::milliseconds from_now);
  void Clear();
  bool expired() const;  // since the last Set

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// A connected, non-blocking, close-on-exec socket. kUnavailable (code "upstream_crashed") when
// nobody listens, kDeadlineExceeded (code "upstream_timeout") after 5 s.
asio::awaitable<StatusOr<Socket>> Connect(asio::any_io_executor executor, Endpoint endpoint);

// Writes all buffers; `buffers` is used up. The socket must be non-blocking. Each time the peer
// does not take more at once, `deadline` (may be null) starts anew with `limit`.
asio::awaitable<ErrorCode> WriteAll(Socket& socket, std::vector<asio::const_buffer>& buffers,
                                    Deadline* deadline, std::chrono::milliseconds limit);

// Writes what the socket takes at once and drops it from `buffers`; true when nothing is left.
bool WriteSome(Socket& socket, std::vector<asio::const_buffer>& buffers, ErrorCode& error);

// Non-blocking and close-on-exec, for a socket that was opened or accepted.
void PrepareSocket(Socket& socket);

// Whether a socket on which nothing is expected has been closed by its peer, or has bytes that
// nobody asked for.
bool IsStale(Socket& socket);

inline asio::const_buffer Bytes(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace llmd::http
