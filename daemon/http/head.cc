#include "http/head.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/status.hpp>
#include <charconv>

namespace llmd::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;
using BeastView = beast::string_view;

std::string_view ToStd(BeastView view) { return {view.data(), view.size()}; }

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Collects what Beast finds as views into the text: no copy of a name or a value is made.
template <bool is_request, typename Head>
class HeadParser final : public beast::http::basic_parser<is_request> {
 public:
  HeadParser(Head& head, size_t max_fields) : head_(head), max_fields_(max_fields) {
    head_ = Head{};
    head_.fields.reserve(16);
  }
  bool too_many_fields() const { return too_many_; }

 private:
  void on_request_impl(beast::http::verb, BeastView method, BeastView target, int version,
                       error_code&) override {
    if constexpr (is_request) {
      head_.method = ToStd(method);
      head_.target = ToStd(target);
    }
    head_.http11 = version == 11;
  }
  void on_response_impl(int status, BeastView, int version, error_code&) override {
    if constexpr (!is_request) head_.status = status;
    head_.http11 = version == 11;
  }
  void on_field_impl(beast::http::field, BeastView name, BeastView value,
                     error_code& error) override {
    if (head_.fields.size() >= max_fields_) {
      too_many_ = true;
      error = beast::http::error::header_limit;
      return;
    }
    head_.fields.push_back({ToStd(name), ToStd(value)});
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<uint64_t> const&, error_code&) override {}
  size_t on_body_impl(BeastView body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(uint64_t, BeastView, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, BeastView body, error_code&) override { return body.size(); }
  void on_finish_impl(error_code&) override {}

  Head& head_;
  size_t max_fields_;
  bool too_many_ = false;
};

Status TooLarge(std::string_view what) {
  return MakeStatus(StatusCode::kResourceExhausted, fmt::format("the head {}", what),
                    {.code = "head_too_large", .next_step = "Send fewer or shorter headers."});
}

// Line feeds belong to CRLF, and no line continues the one before (obsolete folding).
std::string_view LineFault(std::string_view text) {
  for (size_t at = text.find_first_of("\r\n"); at != text.npos;
       at = text.find_first_of("\r\n", at + 2)) {
    if (text[at] != '\r' || at + 1 >= text.size() || text[at + 1] != '\n') {
      return "has a line that does not end with CR LF";
    }
    if (at + 2 < text.size() && (text[at + 2] == ' ' || text[at + 2] == '\t')) {
      return "has a folded line";
    }
  }
  if (text.find('\0') != text.npos) return "has a zero byte";
  return {};
}

// Digits only: no sign, no list, no space inside.
bool ParseLength(std::string_view text, uint64_t& value) {
  if (text.empty() || text.size() > 18) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && text[0] != '-';
}

// Sets the framing from the length fields, or names what is wrong with them.
std::string_view FindFraming(MessageHead& head) {
  const size_t lengths = head.Count("content-length");
  const size_t codings = head.Count("transfer-encoding");
  if (lengths > 0 && codings > 0) return "has both a Content-Length and a Transfer-Encoding";
  if (lengths > 1) return "has more than one Content-Length";
  if (codings > 1) return "has more than one Transfer-Encoding";
  if (codings == 1) {
    if (!EqualsIgnoringCase(head.Get("transfer-encoding"), "chunked")) {
      return "has a Transfer-Encoding other than chunked";
    }
    if (!head.http11) return "has a Transfer-Encoding in HTTP/1.0";
    head.framing = Framing::kChunked;
  }
  if (lengths == 1) {
    if (!ParseLength(head.Get("content-length"), head.content_length)) {
      return "has a Content-Length that is not a number";
    }
    head.framing = head.content_length > 0 ? Framing::kLength : Framing::kNone;
  }
  return {};
}

void FindPersistence(MessageHead& head) {
  const std::string_view connection = head.Get("connection");
  head.keep_alive =
      head.http11 ? !HasToken(connection, "close") : HasToken(connection, "keep-alive");
}

// "/path?query" or "*", of visible ASCII. No other form has a reader behind us.
bool IsPlainTarget(const RequestHead& head) {
  if (head.target == "*") return head.method == "OPTIONS";
  return head.target.starts_with('/') &&
         std::all_of(head.target.begin(), head.target.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

template <bool is_request, typename Head>
Status ParseHead(std::string_view text, const HeadLimits& limits, const char* code, Head& head) {
  if (text.size() > limits.bytes) {
    return TooLarge(fmt::format("is larger than {} bytes", limits.bytes));
  }
  std::string_view fault = LineFault(text);
  if (fault.empty()) {
    HeadParser<is_request, Head> parser(head, limits.fields);
    parser.header_limit(static_cast<uint32_t>(limits.bytes + 1));
    parser.body_limit(boost::none);  // Beast's own default is a megabyte
    error_code error;
    parser.put(boost::asio::const_buffer(text.data(), text.size()), error);
    if (parser.too_many_fields()) {
      return TooLarge(fmt::format("has more than {} fields", limits.fields));
    }
    if (error || !parser.is_header_done()) fault = "is not well-formed";
  }
  if (fault.empty()) fault = FindFraming(head);
  if (!fault.empty()) {
    return MakeStatus(StatusCode::kInvalidArgument, fmt::format("the message's head {}", fault),
                      {.code = code, .next_step = ""});
  }
  FindPersistence(head);
  return OkStatus();
}

}  // namespace

std::string_view MessageHead::Get(std::string_view name) const {
  for (const Field& field : fields) {
    if (EqualsIgnoringCase(field.name, name)) return field.value;
  }
  return {};
}

size_t MessageHead::Count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(fields.begin(), fields.end(),
                    [name](const Field& field) { return EqualsIgnoringCase(field.name, name); }));
}

size_t FindHeadEnd(std::string_view bytes, size_t from) {
  const size_t at = bytes.find("\r\n\r\n", from < 3 ? 0 : from - 3);
  return at == bytes.npos ? 0 : at + 4;
}

Status ParseRequestHead(std::string_view text, const HeadLimits& limits, RequestHead& head) {
  constexpr char kCode[] = "bad_request";
  LLMD_RETURN_IF_ERROR(ParseHead<true>(text, limits, kCode, head));
  std::string_view fault;
  if (!IsPlainTarget(head)) fault = "names its target in a form that is not served";
  if (head.Count("host") != 1 && (head.http11 || head.Has("host"))) {
    fault = "must have exactly one Host";
  }
  if (fault.empty()) return OkStatus();
  return MakeStatus(StatusCode::kInvalidArgument, fmt::format("the message's head {}", fault),
                    {.code = kCode, .next_step = ""});
}

Status ParseResponseHead(std::string_view text, const HeadLimits& limits, bool to_head,
                         ResponseHead& head) {
  LLMD_RETURN_IF_ERROR(ParseHead<false>(text, limits, "bad_answer", head));
  const bool bodiless =
      to_head || head.status / 100 == 1 || head.status == 204 || head.status == 304;
  if (bodiless) {
    head.framing = Framing::kNone;
  } else if (head.framing == Framing::kNone && !head.Has("content-length")) {
    head.framing = Framing::kUntilClose;
    head.keep_alive = false;
  }
  return OkStatus();
}

bool HasToken(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (EqualsIgnoringCase(TrimSpace(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return LowerCase(x) == LowerCase(y);
         });
}

std::string_view TrimSpace(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view ReasonPhrase(int status) {
  return ToStd(beast::http::obsolete_reason(static_cast<beast::http::status>(status)));
}

void AppendStatusLine(std::string& out, int status) {
  out += "HTTP/1.1 ";
  out += std::to_string(status);
  out += ' ';
  out += ReasonPhrase(status);
  out += "\r\n";
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  out += "\r\n";
}

void AppendField(std::string& out, std::string_view name, uint64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  AppendField(out, name, std::string_view(digits, static_cast<size_t>(end - digits)));
}

}  // namespace llmd::http
