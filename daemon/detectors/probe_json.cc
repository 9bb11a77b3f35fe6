#include "detectors/probe_json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_reader.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

// Python's json writes these; JSON has no such numbers. Blanks keep columns in place.
struct Token {
  std::string_view word;
  std::string_view instead;
};
constexpr std::array kNonFinite = {Token{"-Infinity", "null     "}, Token{"Infinity", "null    "},
                                   Token{"NaN", "0.0"}};

// Goes over the text once: replaces those tokens, and says whether it is within limits that need no
// second look. Strings are skipped, so what counts are brackets and separators.
bool Prepare(std::string& text) {
  const JsonLimits limits;
  size_t depth = 0;
  size_t nodes = 1;
  bool in_string = false;
  bool shallow = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '[' || c == '{') shallow = shallow && ++depth < limits.max_depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (c == ',' || c == ':') ++nodes;
    if (c != 'I' && c != 'N' && c != '-') continue;
    for (const Token& token : kNonFinite) {
      if (text.compare(i, token.word.size(), token.word) != 0) continue;
      text.replace(i, token.word.size(), token.instead);
      break;
    }
  }
  return shallow && nodes < limits.max_nodes;
}

bool LooksLikeUtf16(std::string_view text) {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") ||
         (text.size() >= 4 && (text[0] == '\0' || text[1] == '\0'));
}

}  // namespace

Document ReadJsonDocument(std::string_view path, std::string text) {
  Document document;
  if (LooksLikeUtf16(text)) {
    document.error = fmt::format("{} is UTF-16; JSON is UTF-8", path);
    return document;
  }
  if (Prepare(text) && text.size() <= kMaxJsonBytes) {
    const std::string_view body =
        std::string_view(text).substr(text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
    nlohmann::json parsed = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
    if (!parsed.is_discarded()) {
      document.json = std::make_shared<const nlohmann::json>(std::move(parsed));
      return document;
    }
  }
  // The careful reader says what is wrong and where.
  StatusOr<nlohmann::json> json =
      ParseJson(text, path, {.max_bytes = kMaxJsonBytes, .allow_duplicate_keys = true});
  if (json.ok()) {
    document.json = std::make_shared<const nlohmann::json>(*std::move(json));
  } else {
    document.error = SanitizeForTerminal(Message(json.status()));
  }
  return document;
}

}  // namespace llmd::detectors
