// Reads a request's body into its call, within the limits of size and time.
#pragma once

#include "gateway/call.h"

namespace llmd::gateway {

// kInvalidArgument (code "body_too_large", "request_timeout", "bad_chunk", "invalid_multipart"),
// kUnavailable (code "too_busy"), kCancelled when the client has gone. After an error the
// connection has unread bytes and must be closed.
http::asio::awaitable<Status> ReadBody(Call& call, uint64_t limit);

}  // namespace llmd::gateway
