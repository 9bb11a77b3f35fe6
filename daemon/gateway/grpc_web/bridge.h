// The gRPC-web bridge: a browser's call becomes a call to the control plane in this process, bytes
// in, bytes out. The in-process channel knows no peer, so the gateway has checked Host, Origin and
// token before; what a client sends as metadata does not pass.
#pragma once

#include "gateway/call.h"

namespace llmd::gateway {

http::asio::awaitable<void> ServeGrpcWeb(Call& call);

// Answers with an error as gRPC-web does: HTTP 200 and trailers.
http::asio::awaitable<void> FailGrpcWeb(Call& call, Status why);

}  // namespace llmd::gateway
