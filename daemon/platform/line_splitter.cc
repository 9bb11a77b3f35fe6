#include "platform/line_splitter.h"

#include <algorithm>

namespace llmd::platform {

void LineSplitter::Feed(std::string_view bytes, const OnLine& on_line) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    Add(bytes.substr(0, end));
    if (end == std::string_view::npos) return;
    Emit(on_line);
    bytes.remove_prefix(end + 1);
  }
}

void LineSplitter::Finish(const OnLine& on_line) {
  if (!line_.empty()) Emit(on_line);
}

void LineSplitter::Add(std::string_view part) {
  line_.append(part.substr(0, std::min(part.size(), max_line_ - line_.size())));
}

void LineSplitter::Emit(const OnLine& on_line) {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  // Taken out first: the callback may feed again.
  std::string line;
  line.swap(line_);
  on_line(line);
}

}  // namespace llmd::platform
