// Heads of HTTP/1.1 messages: reading them strictly and writing them. Beast parses; what two
// readers could understand differently (two lengths, folded lines, bare line feeds) is refused
// here. Pure functions, no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llmd::http {

struct Field {
  std::string_view name;
  std::string_view value;
};

// How the end of a body is found.
enum class Framing { kNone, kLength, kChunked, kUntilClose };

// What requests and responses share. All views point into the text that was parsed.
struct MessageHead {
  bool http11 = true;
  std::vector<Field> fields;
  Framing framing = Framing::kNone;
  uint64_t content_length = 0;
  bool keep_alive = true;

  // The first field of that name, in any case; empty when there is none.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return Count(name) > 0; }
  size_t Count(std::string_view name) const;
};

struct RequestHead : MessageHead {
  std::string_view method;
  std::string_view target;  // "/path?query", or "*"
};

struct ResponseHead : MessageHead {
  int status = 0;
};

struct HeadLimits {
  size_t bytes = 64u << 10;
  size_t fields = 100;
};

// The length of the head at the start of `bytes`, its empty line included; 0 when it has not ended
// yet. `from`: where to go on searching, the size of `bytes` at the last call.
size_t FindHeadEnd(std::string_view bytes, size_t from);

// Reads one head: `text` is all of it, its empty line included, and must outlive `head`.
// kInvalidArgument (code "bad_request", or "bad_answer" for a response) and kResourceExhausted
// (code "head_too_large").
Status ParseRequestHead(std::string_view text, const HeadLimits& limits, RequestHead& head);
// `to_head`: the response answers a HEAD request, so it has no body.
Status ParseResponseHead(std::string_view text, const HeadLimits& limits, bool to_head,
                         ResponseHead& head);

// Whether a value that is a list of tokens ("keep-alive, Upgrade") has `token`, in any case.
bool HasToken(std::string_view list, std::string_view token);
bool EqualsIgnoringCase(std::string_view a, std::string_view b);
std::string_view TrimSpace(std::string_view text);

// "Not Found" for 404.
std::string_view ReasonPhrase(int status);

// Appends "HTTP/1.1 404 Not Found\r\n".
void AppendStatusLine(std::string& out, int status);
// Appends "name: value\r\n". Control characters in the value become spaces, so that no text from
// outside can end the line.
void AppendField(std::string& out, std::string_view name, std::string_view value);
void AppendField(std::string& out, std::string_view name, uint64_t value);

}  // namespace llmd::http
