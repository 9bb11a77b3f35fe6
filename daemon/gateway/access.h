// Who may ask what: a request must be for our own host, come from our own page or none, carry a
// content type that no plain form can send, and the token where something could be changed. A name
// that an attacker's DNS points at us is a foreign host; another page's script has a foreign
// origin. Immutable after construction; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "http/head.h"

namespace llmd::gateway {

class AccessPolicy {
 public:
  struct Options {
    uint16_t port = 0;
    bool loopback = true;  // else every IP address is a host of ours: it cannot be rebound
    std::string token;
    std::vector<std::string> hosts;    // "name" (any port of ours) or "name:port"
    std::vector<std::string> origins;  // "https://name:port"
  };

  explicit AccessPolicy(Options options);

  // Host, Origin and Sec-Fetch-Site. kPermissionDenied (code "foreign_host", "foreign_origin").
  // `page`: the route is a page that a link of another site may open.
  Status CheckSource(const http::RequestHead& head, bool page) const;

  // kUnauthenticated (code "unauthenticated") unless it carries the token.
  Status CheckToken(const http::RequestHead& head) const;

  // kInvalidArgument (code "unsupported_media_type") unless the body is JSON or a multipart form,
  // not compressed.
  static Status CheckContentType(const http::RequestHead& head);

  // Off loopback every route but the pages and the probes wants the token.
  bool open_routes() const { return options_.loopback; }

  // The request's Origin when it is one of `origins`, for the answer's CORS fields; else empty.
  std::string_view AllowedForeignOrigin(const http::RequestHead& head) const;

 private:
  bool IsOwnHost(std::string_view host) const;
  bool IsListedOrigin(std::string_view origin) const;

  Options options_;
};

// "application/json" of "application/json; charset=utf-8", in lower case.
std::string MediaTypeOf(std::string_view content_type);

// Whether `text` is "1.2.3.4" or "[::1]".
bool IsAddressLiteral(std::string_view text);

}  // namespace llmd::gateway
