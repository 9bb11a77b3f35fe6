// The Agent service's messages as the OpenAI-style JSON that model servers speak, and back. Pure
// functions; what a model server sends is taken as hostile.
#pragma once

#include <llmd/v1/agent.pb.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::rpc {

// Request bodies, with "stream": true and usage asked for. kInvalidArgument for a role that is not
// known, or no message.
StatusOr<std::string> ChatBody(const v1::ChatRequest& request, const std::string& served_name);
std::string CompleteBody(const v1::CompleteRequest& request, const std::string& served_name);
std::string EmbedBody(const v1::EmbedRequest& request, const std::string& served_name);

// What one server-sent event adds to the answer: text, finish reason, usage. kUnavailable when it
// carries an error or is not understood.
StatusOr<v1::GenerationChunk> ParseChunk(std::string_view data);

StatusOr<v1::EmbedResponse> ParseEmbeddings(std::string_view body, int inputs);

// A model server's error answer (status >= 400) as ours: its sentence, never its paths or traces.
Status ParseError(int http_status, std::string_view body);

}  // namespace llmd::rpc
