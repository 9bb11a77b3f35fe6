// Listener: accepts clients on one address and hands them over. Used on one io thread; keeps a
// spare descriptor so that running out of them is an answer, not a busy loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/status.h"
#include "http/io.h"

namespace llmd::gateway {

class Listener {
 public:
  // The context that the next client is served on.
  using Pick = std::function<http::asio::io_context&()>;
  // Called on the listener's thread with a client of the context picked for it.
  using OnClient = std::function<void(http::asio::io_context&, http::Socket)>;

  Listener(http::asio::io_context& io, Pick pick, OnClient on_client);

  // Binds "127.0.0.1:11500" or "[::1]:0", or takes over a listening socket. kUnavailable (code
  // "port_taken"), kInvalidArgument (code "bad_listen_address").
  Status Open(std::string_view address);
  Status Adopt(int socket);

  // Starts accepting; on any thread before the io thread runs, else there.
  void Start() { Accept(); }
  void Close();

  http::asio::ip::tcp::endpoint address() const { return address_; }

 private:
  void Accept();
  void OnError(const http::ErrorCode& error);

  http::asio::ip::tcp::acceptor acceptor_;
  http::asio::steady_timer pause_;
  Pick pick_;
  OnClient on_client_;
  FileDescriptor spare_;
  http::asio::ip::tcp::endpoint address_;
};

// "127.0.0.1:11500", "localhost:0", "[::1]:11500".
StatusOr<http::asio::ip::tcp::endpoint> ParseListenAddress(std::string_view text);

// "http://127.0.0.1:11500"; an address that means "all" becomes loopback.
std::string ToUrl(const http::asio::ip::tcp::endpoint& address);

}  // namespace llmd::gateway
