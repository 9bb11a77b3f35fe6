#include <algorithm>

#include "http/upstream_client.h"

namespace llmd::http {
namespace {

constexpr size_t kMaxEvent = 8u << 20;

// The value of a "data" line; false for any other field and for comments.
bool DataOf(std::string_view line, std::string_view& value) {
  constexpr std::string_view kName = "data";
  if (!line.starts_with(kName)) return false;
  value = line.substr(kName.size());
  if (value.empty()) return true;
  if (value[0] != ':') return false;
  value.remove_prefix(1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  return true;
}

// Takes one line, ended by LF, CR or CR LF, off `text`. False when it has not ended yet: a CR at
// the very end may be half of a CR LF.
bool TakeLine(std::string_view& text, std::string_view& line) {
  const size_t end = text.find_first_of("\r\n");
  if (end == text.npos || (text[end] == '\r' && end + 1 == text.size())) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  return true;
}

}  // namespace

Status SseSplitter::Feed(std::string_view bytes,
                         const std::function<void(std::string_view data)>& on_data) {
  pending_.append(bytes);
  std::string_view rest = pending_;
  std::string_view unread = pending_;  // from the start of the event that has not ended
  std::string data;
  bool has_data = false;
  for (std::string_view line; TakeLine(rest, line);) {
    if (std::string_view value; DataOf(line, value)) {
      if (has_data) data += '\n';
      data += value;
      has_data = true;
    }
    if (!line.empty()) continue;
    if (has_data) on_data(data);
    data.clear();
    has_data = false;
    unread = rest;
  }
  pending_.erase(0, pending_.size() - unread.size());
  if (pending_.size() <= kMaxEvent) return OkStatus();
  return MakeStatus(StatusCode::kResourceExhausted, "one event of the stream is over 8 MiB",
                    {.code = "event_too_large", .next_step = ""});
}

}  // namespace llmd::http
