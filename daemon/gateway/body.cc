#include "gateway/body.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace llmd::gateway {
namespace {

constexpr size_t kMostAhead = 4u << 20;
constexpr size_t kReserveAbove = 1u << 20;

// An unlinked file: gone when it is closed, whatever happens to us.
StatusOr<FileDescriptor> OpenUnlinked(const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto where = folder.empty() ? std::filesystem::temp_directory_path(ignored) : folder;
#ifdef O_TMPFILE
  if (auto file = OpenFile(where, O_TMPFILE | O_RDWR | O_EXCL); file.ok()) return file;
#endif
  std::string pattern = (where / "llmd-body-XXXXXX").string();
  FileDescriptor file(::mkstemp(pattern.data()));
  if (!file.valid()) return ErrnoStatus(errno, pattern);
  ::unlink(pattern.c_str());
  ::fcntl(file.get(), F_SETFD, FD_CLOEXEC);
  return file;
}

}  // namespace

bool ByteBudget::TryTake(uint64_t bytes) {
  uint64_t taken = taken_;
  do {
    if (bytes > limit_ - std::min(taken, limit_)) return false;
  } while (!taken_.compare_exchange_weak(taken, taken + bytes));
  return true;
}

StatusOr<char*> RequestBody::Prepare(size_t bytes) {
  const size_t wanted = size_ + bytes;
  if (wanted > memory_.size()) {
    const size_t ahead = std::min(2 * memory_.size(), memory_.size() + kMostAhead);
    const size_t room = std::max<size_t>(wanted, std::min<uint64_t>(ahead, expected_));
    if (!budget_.TryTake(room - memory_.size())) {
      return MakeStatus(StatusCode::kUnavailable, "too many large requests are under way",
                        {.code = "too_busy", .next_step = "Try again in a moment."});
    }
    taken_ += room - memory_.size();
    // A large body is not copied each time it grows: pages that are not touched cost nothing.
    if (room > kReserveAbove && expected_ != UINT64_MAX) memory_.reserve(expected_);
    memory_.resize(room);
  }
  return memory_.data() + size_;
}

Status RequestBody::Append(std::string_view bytes) {
  LLMD_ASSIGN_OR_RETURN(char* const room, Prepare(bytes.size()));
  std::memcpy(room, bytes.data(), bytes.size());
  Commit(bytes.size());
  return OkStatus();
}

Status RequestBody::Spill(const std::filesystem::path& folder) {
  if (!file_.valid()) {
    LLMD_ASSIGN_OR_RETURN(file_, OpenUnlinked(folder));
  }
  LLMD_RETURN_IF_ERROR(WriteAll(file_.get(), bytes()));
  spilled_bytes_ += size_;
  size_ = 0;
  return OkStatus();
}

void RequestBody::Edit(uint64_t begin, uint64_t end, std::string text) {
  changes_.push_back({begin, end, std::move(text)});
}

std::vector<RequestBody::Piece> RequestBody::Pieces() const {
  std::vector<Piece> pieces;
  uint64_t at = 0;
  const auto keep = [&](uint64_t end) {
    if (end > at) pieces.push_back({.begin = at, .end = end, .original = true});
  };
  for (const Change& change : changes_) {
    keep(change.begin);
    if (!change.text.empty()) pieces.push_back({.text = change.text});
    at = change.end;
  }
  keep(original_size());
  return pieces;
}

std::vector<std::string_view> RequestBody::Views() const {
  if (changes_.empty()) return {bytes()};
  std::vector<std::string_view> views;
  for (const Piece& piece : Pieces()) {
    views.push_back(piece.original ? bytes().substr(piece.begin, piece.end - piece.begin)
                                   : piece.text);
  }
  return views;
}

uint64_t RequestBody::edited_size() const {
  uint64_t size = original_size();
  for (const Change& change : changes_) size += change.text.size() - (change.end - change.begin);
  return size;
}

void RequestBody::Release() {
  std::string().swap(memory_);
  size_ = 0;
  budget_.Give(std::exchange(taken_, 0));
  file_.Close();
  spilled_bytes_ = 0;
  changes_.clear();
}

}  // namespace llmd::gateway
