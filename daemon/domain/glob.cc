#include "domain/glob.h"

#include <optional>

namespace llmd {
namespace {

// Where to go on when what follows a star does not fit: try one more character.
struct Retry {
  size_t pattern;
  size_t text;
};

}  // namespace

bool IsGlob(std::string_view pattern) {
  return pattern.find_first_of("*?") != std::string_view::npos;
}

bool MatchesGlob(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  std::optional<Retry> star;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = Retry{.pattern = ++p, .text = t};
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star) {
      p = star->pattern;
      t = ++star->text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool MatchesPathGlob(std::string_view pattern, std::string_view path) {
  size_t p = 0;
  size_t t = 0;
  std::optional<Retry> star;      // '*': up to the next '/'
  std::optional<Retry> globstar;  // "**": over every '/'
  while (t < path.size()) {
    if (pattern.substr(p).starts_with("**")) {
      p += 2;
      if (p < pattern.size() && pattern[p] == '/') ++p;
      globstar = Retry{.pattern = p, .text = t};
      star.reset();
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = Retry{.pattern = ++p, .text = t};
    } else if (p < pattern.size() &&
               (pattern[p] == path[t] || (pattern[p] == '?' && path[t] != '/'))) {
      ++p;
      ++t;
    } else if (star && path[star->text] != '/') {
      p = star->pattern;
      t = ++star->text;
    } else if (globstar) {
      p = globstar->pattern;
      t = ++globstar->text;
      star.reset();
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace llmd
