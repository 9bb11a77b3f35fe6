#include "rpc/generation.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "domain/names.h"

namespace llmd::rpc {
namespace {

using nlohmann::json;

constexpr size_t kMaxErrorText = 500;

void AddOptions(const v1::SamplingOptions& options, json& body) {
  if (options.has_max_tokens()) body["max_tokens"] = options.max_tokens();
  if (options.has_temperature()) body["temperature"] = options.temperature();
  if (options.has_top_p()) body["top_p"] = options.top_p();
  if (options.has_top_k()) body["top_k"] = options.top_k();
  if (options.has_seed()) body["seed"] = options.seed();
  if (options.stop_size() > 0) {
    body["stop"] = json(std::vector<std::string>(options.stop().begin(), options.stop().end()));
  }
}

json StreamingBody(const std::string& served_name) {
  return {{"model", served_name}, {"stream", true}, {"stream_options", {{"include_usage", true}}}};
}

// Text that protobuf and JSON accept, whatever the client sent.
std::string Dump(const json& body) {
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string TextAt(const json& object, const json::json_pointer& at) {
  const json* value = object.is_object() && object.contains(at) ? &object.at(at) : nullptr;
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

int64_t CountAt(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? at->get<int64_t>() : 0;
}

void ReadUsage(const json& answer, v1::Usage* usage) {
  const auto at = answer.find("usage");
  if (at == answer.end() || !at->is_object()) return;
  usage->set_prompt_tokens(CountAt(*at, "prompt_tokens"));
  usage->set_completion_tokens(CountAt(*at, "completion_tokens"));
}

Status NotUnderstood(std::string_view what) {
  return MakeStatus(StatusCode::kUnavailable, fmt::format("the model server's answer has {}", what),
                    {.code = "upstream_protocol", .next_step = "See its log: llmctl logs MODEL"});
}

}  // namespace

StatusOr<std::string> ChatBody(const v1::ChatRequest& request, const std::string& served_name) {
  constexpr std::array kRoles = {"system", "user", "assistant", "tool"};
  if (request.messages_size() == 0) {
    return MakeStatus(StatusCode::kInvalidArgument, "the chat has no message",
                      {.code = "invalid_request", .next_step = "Send at least one message."});
  }
  json body = StreamingBody(served_name);
  for (const v1::ChatMessage& message : request.messages()) {
    if (std::find(kRoles.begin(), kRoles.end(), message.role()) == kRoles.end()) {
      return MakeStatus(
          StatusCode::kInvalidArgument, fmt::format("the role '{}' is not known", message.role()),
          {.code = "invalid_request", .next_step = "Use system, user, assistant or tool."});
    }
    body["messages"].push_back({{"role", message.role()}, {"content", message.content()}});
  }
  AddOptions(request.options(), body);
  return Dump(body);
}

std::string CompleteBody(const v1::CompleteRequest& request, const std::string& served_name) {
  json body = StreamingBody(served_name);
  body["prompt"] = request.prompt();
  AddOptions(request.options(), body);
  return Dump(body);
}

std::string EmbedBody(const v1::EmbedRequest& request, const std::string& served_name) {
  json body = {{"model", served_name}, {"encoding_format", "float"}};
  body["input"] = json(std::vector<std::string>(request.input().begin(), request.input().end()));
  if (request.has_dimensions()) body["dimensions"] = request.dimensions();
  return Dump(body);
}

StatusOr<v1::GenerationChunk> ParseChunk(std::string_view data) {
  const StatusOr<json> parsed = ParseJson(data, "the model server's event");
  if (!parsed.ok() || !parsed->is_object()) return NotUnderstood("an event that is not JSON");
  if (parsed->contains("error")) return ParseError(502, data);
  v1::GenerationChunk chunk;
  ReadUsage(*parsed, chunk.mutable_usage());
  const auto choices = parsed->find("choices");
  if (choices == parsed->end() || !choices->is_array() || choices->empty()) return chunk;
  const json& choice = choices->front();
  if (!choice.is_object()) return NotUnderstood("a choice that is no object");
  std::string text = TextAt(choice, json::json_pointer("/delta/content"));
  if (text.empty()) text = TextAt(choice, json::json_pointer("/text"));
  chunk.set_text(std::move(text));
  chunk.set_finish_reason(TextAt(choice, json::json_pointer("/finish_reason")));
  return chunk;
}

StatusOr<v1::EmbedResponse> ParseEmbeddings(std::string_view body, int inputs) {
  const JsonLimits limits{.max_bytes = 256u << 20, .max_depth = 16, .max_nodes = 20'000'000};
  const StatusOr<json> parsed = ParseJson(body, "the model server's answer", limits);
  if (!parsed.ok() || !parsed->is_object()) return NotUnderstood("a body that is not JSON");
  const auto data = parsed->find("data");
  if (data == parsed->end() || !data->is_array() || data->size() != static_cast<size_t>(inputs)) {
    return NotUnderstood("another number of embeddings than there were inputs");
  }
  v1::EmbedResponse response;
  for (int i = 0; i < inputs; ++i) response.add_embeddings();
  for (const json& item : *data) {
    const int64_t index = item.is_object() ? CountAt(item, "index") : -1;
    const auto values = item.is_object() ? item.find("embedding") : item.end();
    if (index < 0 || index >= inputs || values == item.end() || !values->is_array()) {
      return NotUnderstood("an embedding without its place or values");
    }
    v1::Embedding* embedding = response.mutable_embeddings(static_cast<int>(index));
    for (const json& value : *values) {
      if (!value.is_number()) return NotUnderstood("an embedding value that is no number");
      embedding->add_values(value.get<float>());
    }
  }
  ReadUsage(*parsed, response.mutable_usage());
  return response;
}

Status ParseError(int http_status, std::string_view body) {
  std::string message;
  std::string code;
  std::string next_step;
  if (const StatusOr<json> parsed = ParseJson(body, "error"); parsed.ok()) {
    message = TextAt(*parsed, json::json_pointer("/error/message"));
    if (message.empty()) message = TextAt(*parsed, json::json_pointer("/error"));
    code = TextAt(*parsed, json::json_pointer("/error/code"));
    // llama.cpp's code is the HTTP status, and the name stands in the type.
    if (TextAt(*parsed, json::json_pointer("/error/type")) == "exceed_context_size_error") {
      code = "context_length_exceeded";
    }
    next_step = TextAt(*parsed, json::json_pointer("/error/next_step"));
  }
  if (message.empty()) message = fmt::format("the model server answered {}", http_status);
  message = SanitizeForTerminal(message.substr(0, kMaxErrorText));
  StatusCode status = StatusCode::kUnavailable;
  if (http_status == 400 || http_status == 413 || http_status == 422) {
    status = StatusCode::kInvalidArgument;
  } else if (http_status == 404 || http_status == 501) {
    status = StatusCode::kUnimplemented;
  } else if (http_status == 429) {
    status = StatusCode::kResourceExhausted;
  }
  if (code == "context_length_exceeded" && next_step.empty()) {
    next_step = "Shorten the prompt, or install the model with a larger --context.";
  }
  if (next_step.empty()) {
    next_step = status == StatusCode::kInvalidArgument ? "Change the request."
                                                       : "Its log (llmctl logs) may say more.";
  }
  return MakeStatus(status, message,
                    {.code = code.empty() ? "upstream_error" : code, .next_step = next_step});
}

}  // namespace llmd::rpc
