#include "shim/log_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "base/clock.h"

namespace llmd::shim {

namespace {

// How far a file may grow over its limit in wait for the end of a line.
constexpr int64_t kLineSlack = 64 << 10;

}  // namespace

LogWriter::LogWriter(std::filesystem::path file, Limits limits)
    : file_(std::move(file)), limits_(limits), splitter_(limits.last_line_bytes) {}

Status LogWriter::Open() {
  LLMD_RETURN_IF_ERROR(MakeFolders(file_.parent_path()));
  LLMD_ASSIGN_OR_RETURN(fd_, OpenFile(file_, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW));
  struct stat facts {};
  size_ = ::fstat(fd_.get(), &facts) == 0 ? facts.st_size : 0;
  return OkStatus();
}

void LogWriter::Write(std::string_view bytes) {
  if (bytes.empty()) return;
  Append(bytes);
  at_line_start_ = bytes.back() == '\n';
  splitter_.Feed(bytes, [this](std::string_view line) {
    last_.emplace_back(line);
    if (last_.size() > limits_.last_lines) last_.pop_front();
  });
}

void LogWriter::Note(std::string_view text) {
  const WallTime now = SystemClock().Now();
  Append(fmt::format("{}[llmd-shim {}] {}\n", at_line_start_ ? "" : "\n", FormatTime(now), text));
  at_line_start_ = true;
}

std::vector<std::string> LogWriter::LastLines() {
  splitter_.Finish([this](std::string_view line) {
    last_.emplace_back(line);
    if (last_.size() > limits_.last_lines) last_.pop_front();
  });
  return {last_.begin(), last_.end()};
}

void LogWriter::Append(std::string_view bytes) {
  const int64_t limit = limits_.file_bytes + (at_line_start_ ? 0 : kLineSlack);
  if (size_ > 0 && size_ + std::ssize(bytes) > limit) Rotate();
  if (lost_ > 0) {
    const std::string notice = fmt::format("\n[llmd-shim] {} bytes could not be written\n", lost_);
    if (!WriteAll(fd_.get(), notice).ok()) {
      lost_ += std::ssize(bytes);
      return;
    }
    size_ += std::ssize(notice);
    lost_ = 0;
  }
  if (!WriteAll(fd_.get(), bytes).ok()) lost_ += std::ssize(bytes);
  size_ += std::ssize(bytes);
}

std::filesystem::path LogWriter::Rotated(int number) const {
  return fmt::format("{}.{}", file_.string(), number);
}

void LogWriter::Rotate() {
  for (int number = limits_.kept_files; number > 1; --number) {
    ::rename(Rotated(number - 1).c_str(), Rotated(number).c_str());
  }
  ::rename(file_.c_str(), Rotated(1).c_str());
  StatusOr<FileDescriptor> fresh =
      OpenFile(file_, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW);
  if (fresh.ok()) {
    fd_ = std::move(*fresh);
  } else if (::ftruncate(fd_.get(), 0) != 0) {
    // Neither a new file nor an empty old one: the log goes on growing rather than being lost.
    return;
  }
  size_ = 0;
}

}  // namespace llmd::shim
