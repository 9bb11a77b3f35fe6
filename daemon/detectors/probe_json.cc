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

void ReplaceNonFinite(std::string& text) {
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == 'I' || c == 'N' || c == '-') {
      for (const Token& token : kNonFinite) {
        if (text.compare(i, token.word.size(), token.word) != 0) continue;
        text.replace(i, token.word.size(), token.instead);
        break;
      }
    }
  }
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
  ReplaceNonFinite(text);
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
