// Who asks: decides what a request may do. Plain data.
#pragma once

#include <string>

namespace llmd {

struct Caller {
  enum class Kind {
    kLocal,     // the Unix socket: same user
    kToken,     // HTTP or TCP with the token
    kAnonymous  // loopback without a token: inference and reading only
  };
  Kind kind = Kind::kAnonymous;
};

// Credentials passed with one Check or Install; used for it, never logged, never stored.
struct HubCredentials {
  std::string token;
  std::string endpoint;
};

}  // namespace llmd
