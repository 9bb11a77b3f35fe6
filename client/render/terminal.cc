#include "render/terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "domain/names.h"

namespace llmd::client {

Terminal::Terminal()
    : features_{.output = ::isatty(STDOUT_FILENO) == 1,
                .error = ::isatty(STDERR_FILENO) == 1,
                .input = ::isatty(STDIN_FILENO) == 1} {
  const char* no_colour = std::getenv("NO_COLOR");
  features_.colour = features_.output && (no_colour == nullptr || *no_colour == '\0');
}

int Terminal::width() const {
  if (features_.width > 0) return features_.width;
  winsize size{};
  for (const int fd : {STDERR_FILENO, STDOUT_FILENO}) {
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  }
  return 80;
}

std::string Terminal::Paint(const char* code, std::string_view text) const {
  return features_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string Terminal::Bold(std::string_view text) const { return Paint("1", text); }
std::string Terminal::Dim(std::string_view text) const { return Paint("2", text); }
std::string Terminal::Green(std::string_view text) const { return Paint("32", text); }
std::string Terminal::Yellow(std::string_view text) const { return Paint("33", text); }
std::string Terminal::Red(std::string_view text) const { return Paint("31", text); }

std::string Safe(std::string_view text) { return SanitizeForTerminal(text); }

}  // namespace llmd::client
