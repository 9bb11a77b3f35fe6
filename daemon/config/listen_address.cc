#include "config/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <optional>

namespace llmd::config {
namespace {

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return port;
}

bool IsAddress(const std::string& host, bool v6) {
  in6_addr buffer{};
  return ::inet_pton(v6 ? AF_INET6 : AF_INET, host.c_str(), &buffer) == 1;
}

Status BadAddress(std::string_view text) {
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("'{}' is not an address to listen on", text),
                    {.code = "bad_listen_address",
                     .next_step = "Give ADDRESS:PORT, such as 127.0.0.1:11500 or [::1]:0."});
}

}  // namespace

bool ListenAddress::IsLoopback() const {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_LOOPBACK(&v6)) return true;
  return IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127;
}

std::string ListenAddress::ToString() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return BadAddress(text);
  std::string host(text.substr(0, colon));
  const std::optional<uint16_t> port = ParsePort(text.substr(colon + 1));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost" && !bracketed) host = "127.0.0.1";
  if (!port || !IsAddress(host, bracketed)) return BadAddress(text);
  return ListenAddress{.host = host, .port = *port};
}

}  // namespace llmd::config
