#include "http/io.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

namespace llmd::http {
namespace {

constexpr std::chrono::milliseconds kConnectLimit{5000};
constexpr std::chrono::milliseconds kBacklogPause{5};
constexpr size_t kMaxBuffers = 64;  // what Asio hands to one system call

using Generic = asio::generic::stream_protocol;

Generic::endpoint ToAsio(const Endpoint& endpoint) {
  if (!endpoint.path.empty()) return asio::local::stream_protocol::endpoint(endpoint.path);
  if (endpoint.ipv6)
    return asio::ip::tcp::endpoint(asio::ip::address_v6::loopback(), endpoint.port);
  return asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), endpoint.port);
}

// The part of a vector of buffers that one write takes.
struct BufferRange {
  const asio::const_buffer* first;
  const asio::const_buffer* last;
  const asio::const_buffer* begin() const { return first; }
  const asio::const_buffer* end() const { return last; }
};

void Drop(std::vector<asio::const_buffer>& buffers, size_t bytes) {
  auto at = buffers.begin();
  while (at != buffers.end() && bytes >= at->size()) bytes -= (at++)->size();
  if (at != buffers.end()) *at += bytes;
  buffers.erase(buffers.begin(), at);
}

Status ConnectFailed(int error) {
  return MakeStatus(StatusCode::kUnavailable,
                    fmt::format("the model server does not take connections: {}",
                                ErrorCode(error, boost::system::system_category()).message()),
                    {.code = "upstream_crashed",
                     .next_step = "Try again; llmctl logs MODEL says what happened to it."});
}

Status ConnectTimeout() {
  return MakeStatus(StatusCode::kDeadlineExceeded, "the model server did not take the connection",
                    {.code = "upstream_timeout", .next_step = "Try again in a moment."});
}

// 0, EINPROGRESS (the outcome comes when it is writable), EAGAIN (the backlog of a Unix socket is
// full), or what went wrong.
int BeginConnect(Socket& socket, const Generic::endpoint& endpoint) {
  const int result =
      ::connect(socket.native_handle(), endpoint.data(), static_cast<socklen_t>(endpoint.size()));
  return result == 0 || errno == EISCONN ? 0 : errno;
}

asio::awaitable<int> FinishConnect(Socket& socket) {
  Deadline deadline(socket.get_executor(), [&socket] { socket.cancel(); });
  deadline.Set(kConnectLimit);
  const auto [error] = co_await socket.async_wait(Socket::wait_write, kAwait);
  if (error) co_return deadline.expired() ? ETIMEDOUT : error.value();
  int outcome = 0;
  socklen_t size = sizeof outcome;
  ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &outcome, &size);
  co_return outcome;
}

}  // namespace

struct Deadline::State : std::enable_shared_from_this<Deadline::State> {
  using Clock = std::chrono::steady_clock;

  State(const asio::any_io_executor& executor, std::function<void()> expiry)
      : timer(executor), on_expiry(std::move(expiry)) {}

  void Arm() {
    armed_for = at;
    timer.expires_at(at);
    timer.async_wait([self = shared_from_this()](const ErrorCode&) { self->OnTimer(); });
    ++waits;
  }
  void OnTimer() {
    if (--waits > 0 || dead) return;  // a later wait speaks
    armed_for = Clock::time_point::max();
    if (at == Clock::time_point::max()) return;
    if (at > Clock::now()) return Arm();
    at = Clock::time_point::max();
    expired = true;
    on_expiry();
  }

  asio::steady_timer timer;
  std::function<void()> on_expiry;
  Clock::time_point at = Clock::time_point::max();
  Clock::time_point armed_for = Clock::time_point::max();
  int waits = 0;
  bool expired = false;
  bool dead = false;
};

Deadline::Deadline(const asio::any_io_executor& executor, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(executor, std::move(on_expiry))) {}

Deadline::~Deadline() {
  state_->dead = true;
  state_->on_expiry = nullptr;
  state_->timer.cancel();
}

void Deadline::Set(std::chrono::milliseconds from_now) {
  state_->expired = false;
  state_->at = State::Clock::now() + from_now;
  if (state_->at < state_->armed_for) state_->Arm();
}

void Deadline::Clear() { state_->at = State::Clock::time_point::max(); }

bool Deadline::expired() const { return state_->expired; }

asio::awaitable<StatusOr<Socket>> Connect(asio::any_io_executor executor, Endpoint endpoint) {
  const Generic::endpoint address = ToAsio(endpoint);
  const auto limit = std::chrono::steady_clock::now() + kConnectLimit;
  Socket socket(executor);
  ErrorCode opened;
  socket.open(address.protocol(), opened);
  if (opened) co_return ConnectFailed(opened.value());
  PrepareSocket(socket);
  int error = BeginConnect(socket, address);
  while (error == EAGAIN) {
    if (std::chrono::steady_clock::now() > limit) co_return ConnectTimeout();
    asio::steady_timer pause(executor, kBacklogPause);
    co_await pause.async_wait(kAwait);
    error = BeginConnect(socket, address);
  }
  if (error == EINPROGRESS) error = co_await FinishConnect(socket);
  if (error == ETIMEDOUT) co_return ConnectTimeout();
  if (error != 0) co_return ConnectFailed(error);
  if (endpoint.path.empty()) {
    ErrorCode ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  }
  co_return socket;
}

bool WriteSome(Socket& socket, std::vector<asio::const_buffer>& buffers, ErrorCode& error) {
  while (!buffers.empty()) {
    const BufferRange range{buffers.data(), buffers.data() + std::min(buffers.size(), kMaxBuffers)};
    const size_t written = socket.write_some(range, error);
    Drop(buffers, written);
    if (error) return false;
  }
  return true;
}

asio::awaitable<ErrorCode> WriteAll(Socket& socket, std::vector<asio::const_buffer>& buffers,
                                    Deadline* deadline, std::chrono::milliseconds limit) {
  for (;;) {
    ErrorCode error;
    if (WriteSome(socket, buffers, error)) co_return ErrorCode{};
    if (error != asio::error::would_block) co_return error;
    if (deadline != nullptr) deadline->Set(limit);
    const auto [waited] = co_await socket.async_wait(Socket::wait_write, kAwait);
    if (waited) co_return waited;
  }
}

void PrepareSocket(Socket& socket) {
  ErrorCode ignored;
  socket.non_blocking(true, ignored);
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

bool IsStale(Socket& socket) {
  char byte;
  const ssize_t got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace llmd::http
