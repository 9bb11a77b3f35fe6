#include "gateway/grpc_web/frame.h"

#include <algorithm>
#include <charconv>

#include "gateway/openai_error.h"

namespace llmd::gateway {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr unsigned char kTrailerFlag = 0x80;

Status BadFrame(std::string_view what) {
  return BadRequest("invalid_frame", fmt::format("the gRPC-web request {}", what));
}

std::string Prefix(unsigned char flag, size_t size) {
  std::string prefix(5, '\0');
  prefix[0] = static_cast<char>(flag);
  for (size_t i = 0; i < 4; ++i) prefix[1 + i] = static_cast<char>(size >> (24 - 8 * i) & 0xff);
  return prefix;
}

int Sextet(char c) {
  const std::string_view letters(kAlphabet, 64);
  const size_t at = letters.find(c);
  return at == letters.npos ? -1 : static_cast<int>(at);
}

// Four characters to up to three bytes; false when they are none.
bool DecodeQuad(std::string_view quad, std::string& out) {
  const size_t padding = quad[3] != '=' ? 0 : quad[2] != '=' ? 1 : 2;
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; ++i) {
    const int value = i >= 4 - padding ? 0 : Sextet(quad[i]);
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
  }
  for (size_t i = 0; i < 3 - padding; ++i) out += static_cast<char>(bits >> (16 - 8 * i) & 0xff);
  return true;
}

}  // namespace

StatusOr<std::string> ParseRequestFrame(std::string_view body, bool text) {
  std::optional<std::string> decoded;
  if (text) {
    decoded = DecodeBase64(body);
    if (!decoded) return BadFrame("is not base64");
    body = *decoded;
  }
  if (body.size() < 5) return BadFrame("has no frame");
  if (body[0] != 0) return BadFrame("is compressed, or no message");
  size_t size = 0;
  for (size_t i = 1; i < 5; ++i) size = size << 8 | static_cast<unsigned char>(body[i]);
  if (size != body.size() - 5) return BadFrame("does not have exactly one frame");
  return std::string(body.substr(5));
}

std::string MessagePrefix(size_t size) { return Prefix(0, size); }

std::string TrailerFrame(const Trailers& trailers) {
  std::string lines = fmt::format("grpc-status: {}\r\n", trailers.code);
  if (!trailers.message.empty()) {
    lines += "grpc-message: " + PercentEncode(trailers.message) + "\r\n";
  }
  if (!trailers.details.empty()) {
    lines += "grpc-status-details-bin: " + EncodeBase64(trailers.details, false) + "\r\n";
  }
  return Prefix(kTrailerFlag, lines.size()) + lines;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 0x20 && c <= 0x7e && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string EncodeBase64(std::string_view bytes, bool padded) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t have = std::min<size_t>(3, bytes.size() - i);
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < have ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      if (j <= have) {
        out += kAlphabet[bits >> (18 - 6 * j) & 0x3f];
      } else if (padded) {
        out += '=';
      }
    }
  }
  return out;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    if (!DecodeQuad(text.substr(i, 4), out)) return std::nullopt;
  }
  return out;
}

std::optional<int64_t> ParseGrpcTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  int64_t amount = 0;
  const char* last = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data(), last, amount);
  if (error != std::errc() || end != last || amount < 0) return std::nullopt;
  switch (*last) {
    case 'H': return amount * 3'600'000;
    case 'M': return amount * 60'000;
    case 'S': return amount * 1000;
    case 'm': return amount;
    case 'u': return (amount + 999) / 1000;
    case 'n': return (amount + 999'999) / 1'000'000;
    default: return std::nullopt;
  }
}

}  // namespace llmd::gateway
