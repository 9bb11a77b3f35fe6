// ListenAddress: where a server listens. Numeric addresses only: a name that means something else
// tomorrow must not open a port to the network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::config {

struct ListenAddress {
  std::string host;  // "127.0.0.1", "::1", without brackets
  uint16_t port = 0;

  bool IsLoopback() const;
  std::string ToString() const;  // "127.0.0.1:11500", "[::1]:0"
};

// Reads "127.0.0.1:11500", "[::1]:0" or "localhost:0" (taken as 127.0.0.1). Port 0 means any free
// one. kInvalidArgument, code "bad_listen_address".
StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace llmd::config
