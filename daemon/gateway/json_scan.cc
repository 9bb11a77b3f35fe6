#include "gateway/json_scan.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "domain/names.h"
#include "gateway/openai_error.h"

namespace llmd::gateway {
namespace {

constexpr size_t kMaxDepth = 256;
constexpr size_t kMaxMembers = 1000;

Status BadJson(std::string_view what) {
  return BadRequest("invalid_json", fmt::format("the body is not a JSON object: {}", what));
}

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Walks over values without looking into them.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  size_t at() const { return at_; }
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  void Skip() { ++at_; }
  void SkipSpace() {
    while (!AtEnd() && IsSpace(text_[at_])) ++at_;
  }
  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // From the opening quote to behind the closing one: the next quote with an even number of
  // backslashes before it.
  bool SkipString() {
    const size_t open = at_++;
    while (!AtEnd()) {
      const void* quote = std::memchr(text_.data() + at_, '"', text_.size() - at_);
      if (quote == nullptr) return false;
      const size_t end = static_cast<size_t>(static_cast<const char*>(quote) - text_.data());
      size_t slash = end;
      while (slash > open + 1 && text_[slash - 1] == '\\') --slash;
      at_ = end + 1;
      if ((end - slash) % 2 == 0) return true;
    }
    return false;
  }

  bool SkipValue() {
    const char c = Peek();
    if (c == '"') return SkipString();
    if (c == '{' || c == '[') return SkipNested();
    const size_t begin = at_;
    while (!AtEnd() && !IsSpace(text_[at_]) && !std::strchr(",:]}[{\"", text_[at_])) ++at_;
    return at_ > begin;
  }

 private:
  bool SkipNested() {
    char open[kMaxDepth];
    size_t depth = 0;
    for (; !AtEnd(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        if (!SkipString()) return false;
        --at_;
      } else if (c == '{' || c == '[') {
        if (depth == kMaxDepth) return false;
        open[depth++] = c;
      } else if (c == '}' || c == ']') {
        if (open[--depth] != (c == '}' ? '{' : '[')) return false;
        if (depth == 0) return ++at_, true;
      }
    }
    return false;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Reads "key": value at the walker.
Status ReadMember(std::string_view json, Walker& walker, JsonMember& member) {
  walker.SkipSpace();
  member.range.begin = walker.at();
  if (walker.Peek() != '"' || !walker.SkipString()) return BadJson("a key is missing");
  member.key = json.substr(member.range.begin + 1, walker.at() - member.range.begin - 2);
  if (member.key.find('\\') != member.key.npos) return BadJson("a key has escapes in it");
  walker.SkipSpace();
  if (!walker.Take(':')) return BadJson("a key has no value");
  walker.SkipSpace();
  member.value_range.begin = walker.at();
  if (!walker.SkipValue()) return BadJson("a value is broken off or nested too deep");
  member.value_range.end = member.range.end = walker.at();
  member.value = member.value_range.of(json);
  walker.SkipSpace();
  return OkStatus();
}

Status Duplicate(std::string_view key) {
  return BadRequest("duplicate_key", fmt::format("the body has the key '{}' twice",
                                                 SanitizeForTerminal(key.substr(0, 80))));
}

Status RefuseDuplicates(const std::vector<JsonMember>& members) {
  std::vector<std::string_view> keys;
  keys.reserve(members.size());
  for (const JsonMember& member : members) keys.push_back(member.key);
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  return twice == keys.end() ? OkStatus() : Duplicate(*twice);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hexadecimal digits at the start of `text`; -1 when they are not.
int HexQuad(std::string_view text) {
  if (text.size() < 4) return -1;
  int value = 0;
  for (size_t i = 0; i < 4; ++i) {
    const int digit = HexValue(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void AppendUtf8(std::string& out, uint32_t code) {
  const auto add = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | code >> 6), add(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    add(0xe0 | code >> 12), add(0x80 | (code >> 6 & 0x3f)), add(0x80 | (code & 0x3f));
  } else {
    add(0xf0 | code >> 18), add(0x80 | (code >> 12 & 0x3f));
    add(0x80 | (code >> 6 & 0x3f)), add(0x80 | (code & 0x3f));
  }
}

// Decodes the escape behind a backslash and takes it off `text`.
bool TakeEscape(std::string_view& text, std::string& out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (text.empty()) return false;
  const char kind = text[0];
  text.remove_prefix(1);
  if (kind != 'u') {
    const size_t at = kLetters.find(kind);
    if (at == kLetters.npos) return false;
    out += kMeanings[at];
    return true;
  }
  int unit = HexQuad(text);
  if (unit < 0) return false;
  text.remove_prefix(4);
  uint32_t code = static_cast<uint32_t>(unit);
  if (code >= 0xd800 && code < 0xdc00) {
    unit = text.starts_with("\\u") ? HexQuad(text.substr(2)) : -1;
    if (unit < 0xdc00 || unit > 0xdfff) return false;
    text.remove_prefix(6);
    code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<uint32_t>(unit) - 0xdc00);
  } else if (code >= 0xdc00 && code < 0xe000) {
    return false;
  }
  AppendUtf8(out, code);
  return true;
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

StatusOr<std::vector<JsonMember>> ScanObject(std::string_view json) {
  Walker walker(json);
  walker.SkipSpace();
  if (!walker.Take('{')) return BadJson("it does not start with {");
  std::vector<JsonMember> members;
  members.reserve(16);
  walker.SkipSpace();
  for (bool more = !walker.Take('}'); more;) {
    if (members.size() == kMaxMembers) return BadJson("it has too many members");
    LLMD_RETURN_IF_ERROR(ReadMember(json, walker, members.emplace_back()));
    more = walker.Take(',');
    if (!more && !walker.Take('}')) return BadJson("it is broken off or has no comma");
  }
  walker.SkipSpace();
  if (!walker.AtEnd()) return BadJson("something follows it");
  LLMD_RETURN_IF_ERROR(RefuseDuplicates(members));
  return members;
}

size_t CountElements(std::string_view array) {
  Walker walker(array);
  if (!walker.Take('[')) return 0;
  walker.SkipSpace();
  size_t count = 0;
  while (walker.SkipValue()) {
    ++count;
    walker.SkipSpace();
    if (!walker.Take(',')) break;
    walker.SkipSpace();
  }
  return count;
}

std::optional<std::string> DecodeString(std::string_view value, size_t max_bytes) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
  if (value.size() > 6 * max_bytes + 2) return std::nullopt;
  std::string_view rest = value.substr(1, value.size() - 2);
  std::string text;
  while (!rest.empty()) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c == '"' || (c == '\\' && !TakeEscape(rest, text))) return std::nullopt;
    if (c != '\\') text += c;
  }
  if (text.size() > max_bytes || HasControl(text) || !IsValidUtf8(text)) return std::nullopt;
  return text;
}

std::string QuoteString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace llmd::gateway
