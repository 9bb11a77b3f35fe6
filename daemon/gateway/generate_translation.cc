#include "gateway/generate_translation.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "base/json_reader.h"
#include "gateway/inference_request.h"
#include "gateway/openai_error.h"

namespace llmd::gateway {
namespace {

using nlohmann::json;

// Ours or Ollama's name, and OpenAI's. The first that a request has counts; "options" come second.
constexpr std::pair<std::string_view, std::string_view> kParameters[] = {
    {"max_tokens", "max_tokens"},
    {"num_predict", "max_tokens"},
    {"temperature", "temperature"},
    {"top_p", "top_p"},
    {"top_k", "top_k"},
    {"min_p", "min_p"},
    {"stop", "stop"},
    {"seed", "seed"},
    {"repeat_penalty", "repeat_penalty"},
    {"frequency_penalty", "frequency_penalty"},
    {"presence_penalty", "presence_penalty"},
};
constexpr std::string_view kUnsupported[] = {"images", "context", "suffix", "template"};

void AppendParameters(const std::vector<JsonMember>& members, std::vector<std::string_view>& seen,
                      std::string& out) {
  for (const auto& [name, openai] : kParameters) {
    const JsonMember* member = FindMember(members, name);
    if (member == nullptr || member->value == "null") continue;
    // "As many as fit" is what leaving it out means.
    if (openai == "max_tokens" && member->value.starts_with('-')) continue;
    if (std::find(seen.begin(), seen.end(), openai) != seen.end()) continue;
    seen.push_back(openai);
    out += fmt::format(",\"{}\":", openai);
    out += member->value;
  }
}

Status CheckSupported(const std::vector<JsonMember>& members) {
  for (const std::string_view key : kUnsupported) {
    const JsonMember* member = FindMember(members, key);
    if (member == nullptr || member->value == "null" || member->value == "\"\"" ||
        member->value == "[]") {
      continue;
    }
    return BadRequest("unsupported_parameter", fmt::format("'{}' is not supported here", key),
                      "Use /v1/chat/completions.");
  }
  return OkStatus();
}

const json* At(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

std::string TextAt(const json* object, const char* key) {
  const json* text = object == nullptr ? nullptr : At(*object, key);
  return text != nullptr && text->is_string() ? text->get<std::string>() : std::string();
}

std::optional<int64_t> NumberAt(const json* object, const char* key) {
  const json* number = object == nullptr ? nullptr : At(*object, key);
  if (number == nullptr || !number->is_number_integer()) return std::nullopt;
  return number->get<int64_t>();
}

Status BadAnswer(std::string_view message) {
  return MakeStatus(StatusCode::kUnavailable, message,
                    {.code = "bad_answer", .next_step = "llmctl logs MODEL may say more."});
}

}  // namespace

StatusOr<std::string> ToOpenAi(const std::vector<JsonMember>& members,
                               const std::string& served_name, bool chat, bool stream) {
  LLMD_RETURN_IF_ERROR(CheckSupported(members));
  const JsonMember* prompt = FindMember(members, "prompt");
  if (prompt == nullptr || !prompt->value.starts_with('"')) {
    return BadRequest("prompt_missing", "the request has no 'prompt' that is a string");
  }
  const JsonMember* system = FindMember(members, "system");
  const bool has_system = system != nullptr && system->value.starts_with('"');
  std::string out = fmt::format("{{\"model\":{},\"stream\":{}", QuoteString(served_name), stream);
  if (chat) {
    out += ",\"messages\":[";
    if (has_system) {
      out += "{\"role\":\"system\",\"content\":";
      out += system->value;
      out += "},";
    }
    out += "{\"role\":\"user\",\"content\":";
    out += prompt->value;
    out += "}]";
  } else {
    out += ",\"prompt\":";
    out += prompt->value;
  }
  std::vector<std::string_view> seen;
  AppendParameters(members, seen, out);
  if (const JsonMember* options = FindMember(members, "options")) {
    if (options->value.starts_with('{')) {
      LLMD_ASSIGN_OR_RETURN(const std::vector<JsonMember> inner, ScanObject(options->value));
      LLMD_RETURN_IF_ERROR(CheckParameters(inner));
      AppendParameters(inner, seen, out);
    }
  }
  return out + '}';
}

StatusOr<Generated> FromOpenAi(std::string_view text) {
  const StatusOr<json> body = ParseJson(text, "the model server's answer");
  if (!body.ok()) return BadAnswer(Message(body.status()));
  if (const json* error = At(*body, "error")) {
    const std::string message = TextAt(error, "message");
    return MakeStatus(
        StatusCode::kUnavailable, message.empty() ? "the model server reported an error" : message,
        {.code = "model_server_error", .next_step = "llmctl logs MODEL may say more."});
  }
  Generated result;
  const json* usage = At(*body, "usage");
  result.prompt_tokens = NumberAt(usage, "prompt_tokens");
  result.completion_tokens = NumberAt(usage, "completion_tokens");
  const json* choices = At(*body, "choices");
  if (choices == nullptr || !choices->is_array()) return BadAnswer("the answer has no choices");
  if (choices->empty()) return result;  // a stream's usage comes so
  const json& choice = choices->front();
  result.finish_reason = TextAt(&choice, "finish_reason");
  const json* message = At(choice, "message");
  if (message == nullptr) message = At(choice, "delta");
  result.text = message != nullptr ? TextAt(message, "content") : TextAt(&choice, "text");
  return result;
}

std::string GenerateLine(const std::string& model, const Generated& generated, bool done,
                         double seconds) {
  json line = {{"model", model},
               {"created_at", FormatTime(SystemClock().Now())},
               {"response", generated.text},
               {"text", generated.text},
               {"done", done}};
  if (done) {
    line["done_reason"] = generated.finish_reason.empty() ? "stop" : generated.finish_reason;
    line["total_duration"] = static_cast<int64_t>(seconds * 1e9);
    if (generated.prompt_tokens) line["prompt_eval_count"] = *generated.prompt_tokens;
    if (generated.completion_tokens) line["eval_count"] = *generated.completion_tokens;
  }
  return line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace llmd::gateway
