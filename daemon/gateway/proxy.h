// The streaming proxy: a request goes to the model server that its body names, the answer comes
// back as bytes. A client that goes cancels the server's work; a server that dies leaves a visibly
// broken answer; a slow client slows its own server connection and nothing else.
#pragma once

#include <string>

#include "gateway/call.h"
#include "http/exchange.h"
#include "serving/model_router.h"

namespace llmd::gateway {

http::asio::awaitable<void> ServeProxy(Call& call);

// Parts of it that other handlers use.

// Sends the call's body, as edited, to the leased server, under the call's own path.
http::asio::awaitable<void> RunProxy(Call& call, serving::Lease lease);

// The head of a request to a model server: made anew, nothing of the client's passes but ids.
std::string UpstreamHead(const Call& call, std::string_view path, std::string_view content_type,
                         uint64_t content_length);

// The W3C form, version 00, with ids that are not zero.
bool IsTraceParent(std::string_view text);

// Answers with a failure of the server, unless nobody is there to read it.
http::asio::awaitable<void> FailUpstream(Call& call, Status why);

// Answers with the error that the model server gave, in our form and without what it may have said
// about this machine.
http::asio::awaitable<void> ForwardError(Call& call, http::Exchange& exchange);

// Reads up to `limit` bytes of the answer's body. kUnavailable (code "bad_answer") above.
http::asio::awaitable<StatusOr<std::string>> ReadAnswer(http::Exchange& exchange, size_t limit);

}  // namespace llmd::gateway
