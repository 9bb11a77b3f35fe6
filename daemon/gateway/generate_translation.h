// Translates between /api/generate and OpenAI's routes. Pure; texts pass as they stand in the
// body, without being parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "gateway/json_scan.h"

namespace llmd::gateway {

// The body for /v1/chat/completions (`chat`) or /v1/completions. kInvalidArgument (code
// "prompt_missing", "unsupported_parameter", "invalid_json").
StatusOr<std::string> ToOpenAi(const std::vector<JsonMember>& members,
                               const std::string& served_name, bool chat, bool stream);

// What an answer, or a piece of a streamed one, says.
struct Generated {
  std::string text;
  std::string finish_reason;  // empty: goes on
  std::optional<int64_t> prompt_tokens;
  std::optional<int64_t> completion_tokens;
};

// From OpenAI's answer or one of its stream's events. kUnavailable (code "bad_answer", or the
// server's own error).
StatusOr<Generated> FromOpenAi(std::string_view json);

// One line of the answer, with its line break.
std::string GenerateLine(const std::string& model, const Generated& generated, bool done,
                         double seconds);

}  // namespace llmd::gateway
