#include "gateway/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/socket_base.hpp>
#include <utility>

namespace llmd::gateway {
namespace {

namespace asio = http::asio;
using http::ErrorCode;
using http::kAwait;

constexpr size_t kReadSize = 8u << 10;
constexpr size_t kMaxEarly = 64u << 10;  // of requests that come before their turn
constexpr int kNotSentLowWater = 16 << 10;
constexpr std::chrono::milliseconds kLingerLimit{1000};
constexpr size_t kLingerBytes = 4u << 20;

// Without a low-water mark the kernel takes megabytes for a slow reader before we notice.
void LimitUnsent(http::Socket& socket) {
#ifdef TCP_NOTSENT_LOWAT
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSentLowWater,
               sizeof kNotSentLowWater);
#endif
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

ClientConnection::ClientConnection(http::Socket socket, std::chrono::milliseconds write_limit)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor(),
                [this] {
                  ErrorCode ignored;
                  socket_.cancel(ignored);
                }),
      write_limit_(write_limit) {
  http::PrepareSocket(socket_);
  LimitUnsent(socket_);
}

asio::awaitable<ErrorCode> ClientConnection::Fill() {
  const size_t had = unread_.size();
  unread_.resize(had + kReadSize);
  const auto room = asio::buffer(unread_.data() + had, kReadSize);
  const auto [error, got] = co_await socket_.async_read_some(room, kAwait);
  unread_.resize(had + got);
  co_return error;
}

asio::awaitable<size_t> ClientConnection::ReadInto(char* room, size_t size) {
  const auto buffer = asio::buffer(room, size);
  const auto [error, got] = co_await socket_.async_read_some(buffer, kAwait);
  co_return error ? size_t{0} : got;
}

asio::awaitable<ErrorCode> ClientConnection::Write(std::vector<asio::const_buffer>& buffers) {
  ErrorCode error;
  if (http::WriteSome(socket_, buffers, error)) co_return ErrorCode{};
  if (error != asio::error::would_block) co_return error;
  error = co_await http::WriteAll(socket_, buffers, &deadline_, write_limit_);
  deadline_.Clear();
  co_return error;
}

void ClientConnection::Watch(std::function<void()> on_gone) {
  on_gone_ = std::move(on_gone);
  if (!waiting_) Wait();
}

void ClientConnection::Wait() {
  waiting_ = true;
  socket_.async_wait(http::Socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    self->waiting_ = false;
    // Another operation's deadline cancels this wait too.
    if (error && self->on_gone_ && self->is_open()) return self->Wait();
    if (!error) self->OnReadable();
  });
}

void ClientConnection::OnReadable() {
  if (!on_gone_) return;
  char bytes[kReadSize];
  const ssize_t got = ::recv(socket_.native_handle(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return Wait();
  if (got <= 0) return std::exchange(on_gone_, nullptr)();
  unread_.append(bytes, static_cast<size_t>(got));
  if (unread_.size() < kMaxEarly) Wait();
}

asio::awaitable<void> ClientConnection::Linger() {
  ErrorCode ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  deadline_.Set(kLingerLimit);
  unread_.resize(kReadSize);
  for (size_t taken = 0; taken < kLingerBytes;) {
    const size_t got = co_await ReadInto(unread_.data(), unread_.size());
    if (got == 0) break;
    taken += got;
  }
  Close();
}

void ClientConnection::Close() {
  deadline_.Clear();
  on_gone_ = nullptr;
  ErrorCode ignored;
  socket_.close(ignored);
}

void ClientConnection::Reset() {
  ErrorCode ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  Close();
}

}  // namespace llmd::gateway
