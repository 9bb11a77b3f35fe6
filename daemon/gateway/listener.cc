#include "gateway/listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <charconv>
#include <chrono>
#include <utility>

#include "base/logging.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;
using asio::ip::tcp;
using http::ErrorCode;

constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kPause{100};

Status BadAddress(std::string_view text) {
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("'{}' is not an address to listen on", text),
                    {.code = "bad_listen_address",
                     .next_step = "Write an address and a port, such as 127.0.0.1:11500."});
}

Status CannotListen(const tcp::endpoint& address, const ErrorCode& error) {
  const std::string where = fmt::format("{}:{}", address.address().to_string(), address.port());
  if (error == asio::error::address_in_use) {
    return MakeStatus(StatusCode::kUnavailable,
                      fmt::format("cannot listen on {}: the port is taken", where),
                      {.code = "port_taken",
                       .next_step = "Stop the other program, or choose another port: --listen "
                                    "127.0.0.1:PORT or listen: in llmd.yaml."});
  }
  return MakeStatus(StatusCode::kUnavailable,
                    fmt::format("cannot listen on {}: {}", where, error.message()),
                    {.code = "cannot_listen", .next_step = ""});
}

bool OutOfDescriptors(const ErrorCode& error) {
  return error == boost::system::errc::too_many_files_open ||
         error == boost::system::errc::too_many_files_open_in_system ||
         error == asio::error::no_memory || error == asio::error::no_buffer_space;
}

FileDescriptor OpenSpare() { return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

StatusOr<tcp::endpoint> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return BadAddress(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc() || end != digits.data() + digits.size()) return BadAddress(text);
  if (host == "localhost") host = "127.0.0.1";
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  ErrorCode error;
  const asio::ip::address address = asio::ip::make_address(std::string(host), error);
  if (error || address.is_v6() != bracketed) return BadAddress(text);
  return tcp::endpoint(address, port);
}

std::string ToUrl(const tcp::endpoint& address) {
  asio::ip::address host = address.address();
  if (host.is_unspecified()) {
    host = host.is_v6() ? asio::ip::address(asio::ip::address_v6::loopback())
                        : asio::ip::address(asio::ip::address_v4::loopback());
  }
  const std::string name = host.to_string();
  return host.is_v6() ? fmt::format("http://[{}]:{}", name, address.port())
                      : fmt::format("http://{}:{}", name, address.port());
}

Listener::Listener(asio::io_context& io, Pick pick, OnClient on_client)
    : acceptor_(io),
      pause_(io),
      pick_(std::move(pick)),
      on_client_(std::move(on_client)),
      spare_(OpenSpare()) {}

Status Listener::Open(std::string_view address) {
  LLMD_ASSIGN_OR_RETURN(const tcp::endpoint endpoint, ParseListenAddress(address));
  ErrorCode error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(kBacklog, error);
  if (error) return CannotListen(endpoint, error);
  ::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
  address_ = acceptor_.local_endpoint(error);
  return OkStatus();
}

Status Listener::Adopt(int socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  const bool named = ::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) == 0;
  if (!named || (name.ss_family != AF_INET && name.ss_family != AF_INET6)) {
    return BadAddress("the inherited socket");
  }
  ErrorCode error;
  acceptor_.assign(name.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), socket, error);
  if (error) return BadAddress("the inherited socket");
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  address_ = acceptor_.local_endpoint(error);
  return OkStatus();
}

void Listener::Accept() {
  asio::io_context& io = pick_();
  acceptor_.async_accept(io, [this, &io](const ErrorCode& error, tcp::socket socket) {
    if (error) return OnError(error);
    on_client_(io, http::Socket(std::move(socket)));
    Accept();
  });
}

void Listener::OnError(const ErrorCode& error) {
  if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
  if (!OutOfDescriptors(error)) return Accept();
  // The spare descriptor lets one waiting client in, to be closed: it learns that we are full.
  Log("gateway").Warn("out of file descriptors", {{"why", error.message()}});
  spare_.Close();
  const int client = ::accept(acceptor_.native_handle(), nullptr, nullptr);
  FileDescriptor(client).Close();
  spare_ = OpenSpare();
  pause_.expires_after(kPause);
  pause_.async_wait([this](const ErrorCode& stopped) {
    if (!stopped) Accept();
  });
}

void Listener::Close() {
  ErrorCode ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace llmd::gateway
