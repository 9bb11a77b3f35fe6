#include "http/endpoint.h"

#include <charconv>

namespace llmd::http {
namespace {

constexpr size_t kMaxSocketPath = 107;

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool ParsePort(std::string_view text, uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0;
}

}  // namespace

StatusOr<Endpoint> ParseEndpoint(std::string_view text) {
  Endpoint endpoint;
  std::string_view rest = text;
  if (TakePrefix(rest, "unix://")) {
    endpoint.path = rest;
    if (rest.starts_with('/') && rest.size() <= kMaxSocketPath && rest.find('\0') == rest.npos) {
      return endpoint;
    }
  } else if (TakePrefix(rest, "http://")) {
    endpoint.ipv6 = TakePrefix(rest, "[::1]:");
    const bool loopback =
        endpoint.ipv6 || TakePrefix(rest, "127.0.0.1:") || TakePrefix(rest, "localhost:");
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (loopback && ParsePort(rest, endpoint.port)) return endpoint;
  }
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("'{}' is not the address of a model server", text),
                    {.code = "bad_endpoint", .next_step = ""});
}

}  // namespace llmd::http
