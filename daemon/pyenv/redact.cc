#include "pyenv/redact.h"

namespace llmd::pyenv {

std::string Redact(std::string_view text) {
  constexpr std::string_view kScheme = "://";
  std::string out;
  size_t done = 0;
  for (size_t at = text.find(kScheme); at != std::string_view::npos;
       at = text.find(kScheme, done)) {
    const size_t begin = at + kScheme.size();
    const size_t end = std::min(text.find_first_of("/?# \t\"'`<>|", begin), text.size());
    const size_t last_at = text.substr(begin, end - begin).rfind('@');
    out += text.substr(done, begin - done);
    done = begin;
    if (last_at == std::string_view::npos) continue;
    out += "***";
    done = begin + last_at;
  }
  out += text.substr(done);
  return out;
}

}  // namespace llmd::pyenv
