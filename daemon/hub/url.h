// URLs as libcurl reads them, so that what is checked is what is connected to. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::hub {

struct Url {
  std::string text;
  std::string scheme;  // http | https
  std::string host;    // lower case
  int port = 0;

  bool SameOrigin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
  std::string Origin() const;  // "https://host:443"
};

// Only http and https, without user name or password.
StatusOr<Url> ParseUrl(std::string_view text);

// `reference` as seen from `base`; its query is kept byte for byte. kFailedPrecondition (code
// "unsafe_redirect") when it leads from https to http.
StatusOr<Url> FollowReference(const Url& base, std::string_view reference);

// Percent-encodes everything but unreserved characters; EncodePath keeps slashes.
std::string EncodeSegment(std::string_view text);
std::string EncodePath(std::string_view path);

// The target of `<url>; rel="next"` in a Link header; empty without one.
std::string NextLink(std::string_view link_header);

}  // namespace llmd::hub
