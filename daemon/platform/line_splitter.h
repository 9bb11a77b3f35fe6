// LineSplitter: bytes in, lines out, in bounded memory. Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace llmd::platform {

class LineSplitter {
 public:
  using OnLine = std::function<void(std::string_view line)>;

  // What a line has beyond `max_line` bytes is left out.
  explicit LineSplitter(size_t max_line) : max_line_(max_line) {}

  // Calls `on_line` for each line that these bytes complete, without its "\n" or "\r\n".
  void Feed(std::string_view bytes, const OnLine& on_line);
  // The same for what is left when no more bytes will come.
  void Finish(const OnLine& on_line);

 private:
  void Add(std::string_view part);
  void Emit(const OnLine& on_line);

  size_t max_line_;
  std::string line_;
};

}  // namespace llmd::platform
