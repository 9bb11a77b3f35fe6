// Endpoint: where a model server listens. Plain data.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::http {

struct Endpoint {
  std::string path;   // of a Unix socket; empty: TCP on loopback
  bool ipv6 = false;  // [::1] instead of 127.0.0.1
  uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
};

// "unix:///path", "http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000".
// kInvalidArgument (code "bad_endpoint") for anything else: no model server is elsewhere.
StatusOr<Endpoint> ParseEndpoint(std::string_view text);

}  // namespace llmd::http
