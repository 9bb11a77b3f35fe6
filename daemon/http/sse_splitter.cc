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

}  // namespace

Status SseSplitter::Feed(std::string_view bytes,
                         const std::function<void(std::string_view data)>& on_data) {
  while (!bytes.empty()) {
    if (after_cr_ && bytes[0] == '\n') bytes.remove_prefix(1);
    after_cr_ = false;
    const size_t end = bytes.find_first_of("\r\n");
    if (end == bytes.npos) {
      line_ += bytes;
      break;
    }
    after_cr_ = bytes[end] == '\r';
    if (line_.empty()) {
      EndLine(bytes.substr(0, end), on_data);
    } else {
      line_ += bytes.substr(0, end);
      EndLine(line_, on_data);
      line_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
  if (line_.size() + data_.size() <= kMaxEvent) return OkStatus();
  return MakeStatus(StatusCode::kResourceExhausted, "one event of the stream is over 8 MiB",
                    {.code = "event_too_large", .next_step = ""});
}

void SseSplitter::EndLine(std::string_view line,
                          const std::function<void(std::string_view data)>& on_data) {
  if (line.empty()) {
    if (has_data_) on_data(data_);
    data_.clear();
    has_data_ = false;
  } else if (std::string_view value; DataOf(line, value)) {
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  }
}

}  // namespace llmd::http
