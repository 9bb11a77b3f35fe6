#include "gateway/access.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "domain/names.h"
#include "gateway/openai_error.h"

namespace llmd::gateway {
namespace {

Status Foreign(const char* code, std::string_view message, std::string_view next_step) {
  return MakeStatus(StatusCode::kPermissionDenied, message,
                    {.code = code, .next_step = std::string(next_step)});
}

std::string Shown(std::string_view text) { return SanitizeForTerminal(text.substr(0, 80)); }

// Takes a trailing ":port" off `host`; 80 without one, 0 when it is not a number.
uint16_t TakePort(std::string_view& host) {
  const size_t colon = host.rfind(':');
  if (colon == host.npos || host.ends_with(']')) return 80;
  const std::string_view digits = host.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  host = host.substr(0, colon);
  return error == std::errc() && end == digits.data() + digits.size() ? port : uint16_t{0};
}

}  // namespace

AccessPolicy::AccessPolicy(Options options) : options_(std::move(options)) {}

bool AccessPolicy::IsOwnHost(std::string_view host) const {
  const std::string lower = ToLower(host);
  for (const std::string& allowed : options_.hosts) {
    if (lower == ToLower(allowed)) return true;
  }
  std::string_view name = lower;
  if (TakePort(name) != options_.port) return false;
  if (name == "localhost" || name == "127.0.0.1" || name == "[::1]") return true;
  if (!options_.loopback && IsAddressLiteral(name)) return true;
  return std::any_of(options_.hosts.begin(), options_.hosts.end(),
                     [name](const std::string& allowed) { return name == ToLower(allowed); });
}

bool AccessPolicy::IsListedOrigin(std::string_view origin) const {
  return std::any_of(
      options_.origins.begin(), options_.origins.end(),
      [origin](const std::string& allowed) { return ToLower(origin) == ToLower(allowed); });
}

Status AccessPolicy::CheckSource(const http::RequestHead& head, bool page) const {
  constexpr std::string_view kHow =
      "Use http://127.0.0.1 with llmd's port; other names and origins are listed in llmd.yaml.";
  const std::string_view host = head.Get("host");
  if (!IsOwnHost(host)) {
    return Foreign("foreign_host", fmt::format("'{}' is not a name of this llmd", Shown(host)),
                   kHow);
  }
  if (head.Has("origin")) {
    const std::string_view origin = head.Get("origin");
    const bool own = head.Count("origin") == 1 &&
                     (origin == fmt::format("http://{}", host) || IsListedOrigin(origin));
    if (own) return OkStatus();
    return Foreign("foreign_origin",
                   fmt::format("pages of '{}' may not use this llmd", Shown(origin)), kHow);
  }
  if (!page && http::EqualsIgnoringCase(head.Get("sec-fetch-site"), "cross-site")) {
    return Foreign("foreign_origin", "pages of other sites may not use this llmd", kHow);
  }
  return OkStatus();
}

Status AccessPolicy::CheckToken(const http::RequestHead& head) const {
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view given = head.Get("authorization");
  if (head.Count("authorization") == 1 && !options_.token.empty() &&
      given.size() > kBearer.size() &&
      http::EqualsIgnoringCase(given.substr(0, kBearer.size()), kBearer) &&
      SameSecret(http::TrimSpace(given.substr(kBearer.size())), options_.token)) {
    return OkStatus();
  }
  return MakeStatus(StatusCode::kUnauthenticated, "this request needs llmd's token",
                    {.code = "unauthenticated",
                     .next_step = "Send 'Authorization: Bearer TOKEN'; llmctl dashboard prints an "
                                  "address with the token in it."});
}

Status AccessPolicy::CheckContentType(const http::RequestHead& head) {
  const auto refuse = [](std::string_view message) {
    return BadRequest("unsupported_media_type", message,
                      "Send JSON with 'Content-Type: application/json'.");
  };
  const std::string type = MediaTypeOf(head.Get("content-type"));
  if (head.Count("content-type") != 1 ||
      (type != "application/json" && type != "multipart/form-data")) {
    return refuse(fmt::format("a body of type '{}' is not taken", Shown(type)));
  }
  if (head.Has("content-encoding") &&
      !http::EqualsIgnoringCase(head.Get("content-encoding"), "identity")) {
    return refuse("compressed bodies are not taken");
  }
  return OkStatus();
}

std::string_view AccessPolicy::AllowedForeignOrigin(const http::RequestHead& head) const {
  const std::string_view origin = head.Get("origin");
  return head.Count("origin") == 1 && IsListedOrigin(origin) ? origin : std::string_view();
}

std::string MediaTypeOf(std::string_view content_type) {
  return ToLower(http::TrimSpace(content_type.substr(0, content_type.find(';'))));
}

bool IsAddressLiteral(std::string_view text) {
  unsigned char address[16];
  if (text.starts_with('[') && text.ends_with(']')) {
    const std::string inner(text.substr(1, text.size() - 2));
    return ::inet_pton(AF_INET6, inner.c_str(), address) == 1;
  }
  return ::inet_pton(AF_INET, std::string(text).c_str(), address) == 1;
}

}  // namespace llmd::gateway
