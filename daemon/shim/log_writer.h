// LogWriter: a server's log. Rotates by size (server.log, server.log.1, .2, .3), keeps the last
// lines in memory and never fails its caller: what cannot be written is lost, and the log says so.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "platform/line_splitter.h"

namespace llmd::shim {

class LogWriter {
 public:
  struct Limits {
    int64_t file_bytes = 16 << 20;
    int kept_files = 3;  // besides the one that is written
    size_t last_lines = 50;
    size_t last_line_bytes = 2048;
  };
  LogWriter(std::filesystem::path file, Limits limits);

  // Opens the file for appending; makes its folder.
  Status Open();

  // The server's output.
  void Write(std::string_view bytes);
  // A line of our own, which does not count as the server's.
  void Note(std::string_view text);

  // The last lines of the server's output, what is left of the last one included.
  std::vector<std::string> LastLines();

 private:
  void Append(std::string_view bytes);
  void Rotate();
  std::filesystem::path Rotated(int number) const;

  const std::filesystem::path file_;
  const Limits limits_;
  FileDescriptor fd_;
  int64_t size_ = 0;
  int64_t lost_ = 0;
  bool at_line_start_ = true;
  platform::LineSplitter splitter_;
  std::deque<std::string> last_;
};

}  // namespace llmd::shim
