// gRPC-web's wire format: frames, trailers, and the codings in them. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::gateway {

// The message in a request's body: exactly one frame, not compressed. `text`: the body is base64.
// kInvalidArgument (code "invalid_frame").
StatusOr<std::string> ParseRequestFrame(std::string_view body, bool text);

// The five bytes before a message of that size.
std::string MessagePrefix(size_t size);

struct Trailers {
  int code = 0;
  std::string message;
  std::string details;  // a serialised google.rpc.Status; may be empty
};
// The last frame.
std::string TrailerFrame(const Trailers& trailers);

// All bytes outside of visible ASCII, and '%', as %XX.
std::string PercentEncode(std::string_view text);
std::string EncodeBase64(std::string_view bytes, bool padded);
// Also several encodings behind one another, each padded by itself.
std::optional<std::string> DecodeBase64(std::string_view text);

// "100m" to milliseconds; nothing when it is not a timeout.
std::optional<int64_t> ParseGrpcTimeout(std::string_view text);

}  // namespace llmd::gateway
