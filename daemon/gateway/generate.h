// POST /api/generate: {"model", "prompt", ...} to one JSON object that has both "text" and
// "response", or to lines of them with "stream": true. A server that has the route itself gets the
// request as it is; for the others it becomes a chat or a completion.
#pragma once

#include "gateway/call.h"

namespace llmd::gateway {

http::asio::awaitable<void> ServeGenerate(Call& call);

}  // namespace llmd::gateway
