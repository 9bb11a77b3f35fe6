#include "gateway/upstream_error.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "domain/names.h"
#include "gateway/openai_error.h"

namespace llmd::gateway {
namespace {

using nlohmann::json;

constexpr size_t kMaxMessage = 1000;

std::string StringAt(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// The forms that model servers use: {"error": {"message"}}, {"error": "..."}, {"message"},
// {"detail": "..."} and {"detail": [{"loc", "msg"}]}.
std::string FindMessage(const json& body) {
  const auto error = body.find("error");
  if (error != body.end() && error->is_object()) return StringAt(*error, "message");
  for (const char* key : {"error", "message", "detail"}) {
    if (std::string text = StringAt(body, key); !text.empty()) return text;
  }
  const auto detail = body.find("detail");
  if (detail == body.end() || !detail->is_array() || detail->empty()) return {};
  const json& first = detail->front();
  if (!first.is_object()) return {};
  std::string where;
  if (const auto loc = first.find("loc"); loc != first.end() && loc->is_array()) {
    for (const json& part : *loc) {
      if (part.is_string() && part != "body") where += part.get<std::string>() + ": ";
    }
  }
  return where + StringAt(first, "msg");
}

bool IsPath(std::string_view word) {
  while (!word.empty() && std::strchr("\"'(<[", word.front()) != nullptr) word.remove_prefix(1);
  return word.size() > 1 && word[0] == '/' && word.find('/', 1) != word.npos;
}

// The first line, without words that are paths.
std::string Sanitize(std::string_view text) {
  text = text.substr(0, std::min({text.find('\n'), text.size(), kMaxMessage}));
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!out.empty()) out += ' ';
    out += IsPath(word) ? std::string_view("(a path)") : word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return SanitizeForTerminal(out);
}

bool IsCode(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::islower(static_cast<unsigned char>(c)) ||
           std::isdigit(static_cast<unsigned char>(c)) || c == '_';
  });
}

std::string FindCode(const json& body) {
  const auto error = body.find("error");
  const json& holder = error != body.end() && error->is_object() ? *error : body;
  for (const char* key : {"code", "type"}) {
    if (std::string code = StringAt(holder, key); IsCode(code)) return code;
  }
  return {};
}

}  // namespace

std::string RetellError(int status, std::string_view text) {
  std::string message;
  std::string code;
  const StatusOr<json> body = ParseJson(text, "the model server's error", {.max_bytes = 64u << 10});
  if (body.ok() && body->is_object()) {
    message = Sanitize(FindMessage(*body));
    code = FindCode(*body);
  }
  if (message.empty()) {
    message = fmt::format("the model server answered with status {}", status);
  }
  if (code.empty()) code = status < 500 ? "invalid_request" : "model_server_error";
  return ErrorBody(
      status, message,
      {.code = code, .next_step = status < 500 ? "" : "llmctl logs MODEL may say more."});
}

}  // namespace llmd::gateway
