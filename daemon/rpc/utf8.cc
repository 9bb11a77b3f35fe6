#include "rpc/utf8.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "domain/names.h"

namespace llmd::rpc {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

size_t LengthFromLead(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;  // not a lead
}

bool Continues(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; });
}

}  // namespace

std::string TakeUtf8(std::string& pending) {
  const std::string_view bytes = pending;
  std::string text;
  text.reserve(bytes.size());
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t length = LengthFromLead(static_cast<unsigned char>(bytes[at]));
    const std::string_view unit = bytes.substr(at, length);
    if (length > 1 && unit.size() < length && Continues(unit.substr(1))) break;  // unfinished
    if (length > 0 && (length == 1 || IsValidUtf8(unit))) {
      text.append(unit);
      at += length;
    } else {
      text.append(kReplacement);
      ++at;
    }
  }
  pending.erase(0, at);
  return text;
}

}  // namespace llmd::rpc
