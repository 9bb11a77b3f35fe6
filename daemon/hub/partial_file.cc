#include "hub/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <vector>

#include "base/logging.h"

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kNoteEveryBytes = 16 << 20;
constexpr std::chrono::seconds kNoteEvery{1};
constexpr int64_t kAllocateFrom = 16 << 20;
constexpr size_t kMaxJournalBytes = 16u << 20;
constexpr size_t kPointerBytes = 1024;
constexpr std::string_view kPointerStart = "version https://git-lfs.github.com/spec/v1";

bool IsGitFile(const FileEntry& file) { return file.sha256.empty() && !file.git_oid.empty(); }

// The journal's first line: what content it is about.
std::string JournalHead(const FileEntry& file) {
  const std::string hash = !file.sha256.empty()    ? "sha256:" + file.sha256
                           : !file.git_oid.empty() ? "git:" + file.git_oid
                                                   : std::string("none");
  return fmt::format("llmd-journal 1 {} {}", file.size, hash);
}

struct Noted {
  int64_t end = 0;
  std::string digest;  // of bytes [0, end)
};

// The notes that belong to this content; a torn last line is left out.
std::vector<Noted> ReadNotes(const FileEntry& file, const fs::path& journal) {
  std::vector<Noted> notes;
  // Without a hash nothing could tell whether the rest still belongs to these bytes.
  if (file.sha256.empty() && file.git_oid.empty()) return notes;
  const StatusOr<std::string> text = ReadFile(journal, kMaxJournalBytes);
  if (!text.ok()) return notes;
  std::istringstream lines(text->substr(0, text->rfind('\n') + 1));
  std::string line;
  if (!std::getline(lines, line) || line != JournalHead(file)) return notes;
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    Noted note;
    int64_t begin = 0;
    if (!(fields >> begin >> note.end >> note.digest)) break;
    if (begin != (notes.empty() ? 0 : notes.back().end) || note.end <= begin) break;
    if (note.end > file.size) break;
    notes.push_back(std::move(note));
  }
  return notes;
}

Status Unlink(const fs::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return OkStatus();
  return ErrnoStatus(errno, fmt::format("cannot remove {}", path.string()));
}

Status Sync(int fd, const fs::path& path) {
#if defined(__APPLE__)
  const int result = ::fsync(fd);
#else
  const int result = ::fdatasync(fd);
#endif
  return result == 0 ? OkStatus()
                     : ErrnoStatus(errno, fmt::format("cannot sync {}", path.string()));
}

// Space is taken before the first byte, so that a full disk shows at once.
Status Reserve(int fd, int64_t size, const fs::path& path) {
#if defined(__linux__)
  if (size >= kAllocateFrom && ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) != 0 &&
      errno == ENOSPC) {
    return ErrnoStatus(ENOSPC, fmt::format("no room for {}", path.string()));
  }
#else
  static_cast<void>(fd), static_cast<void>(size), static_cast<void>(path);
#endif
  return OkStatus();
}

}  // namespace

bool IsLfsPointer(std::string_view content) {
  return content.size() < kPointerBytes && content.starts_with(kPointerStart);
}

Status LfsPointerError(std::string_view path) {
  return MakeStatus(
      StatusCode::kDataLoss,
      fmt::format("{} holds a Git LFS pointer instead of the file itself", path),
      {.code = "lfs_pointer",
       .next_step = "In a git clone run 'git lfs pull'; on a mirror, use another one."});
}

fs::path PartialFile::PartPath(const fs::path& target) { return target.string() + ".llmd-part"; }
fs::path PartialFile::JournalPath(const fs::path& target) {
  return target.string() + ".llmd-journal";
}

PartialFile::PartialFile(const FileEntry& file, fs::path target)
    : file_(file), target_(std::move(target)), hasher_(Hasher::Kind::kSha256) {
  RestartHash();
}

void PartialFile::RestartHash() {
  const bool git = IsGitFile(file_);
  hasher_ = Hasher(git ? Hasher::Kind::kSha1 : Hasher::Kind::kSha256);
  if (git) hasher_.Update(fmt::format("blob {}", file_.size) + '\0');
  head_.clear();
  size_ = 0;
  noted_ = 0;
  noted_at_ = std::chrono::steady_clock::now();
}

StatusOr<PartialFile> PartialFile::Open(const FileEntry& file, const fs::path& target,
                                        const CancelToken& cancel) {
  PartialFile partial(file, target);
  LLMD_ASSIGN_OR_RETURN(partial.part_,
                        OpenFile(PartPath(target), O_RDWR | O_CREAT | O_NOFOLLOW, 0644));
  LLMD_RETURN_IF_ERROR(partial.ReadBack(cancel));
  LLMD_RETURN_IF_ERROR(Reserve(partial.part_.get(), file.size, PartPath(target)));
  return partial;
}

Status PartialFile::ReadBack(const CancelToken& cancel) {
  const std::vector<Noted> notes = ReadNotes(file_, JournalPath(target_));
  std::vector<char> buffer(1u << 20);
  Status damaged;
  for (const Noted& note : notes) {
    while (size_ < note.end) {
      LLMD_RETURN_IF_ERROR(cancel.Check());
      const size_t wanted = std::min(buffer.size(), static_cast<size_t>(note.end - size_));
      const ssize_t got = ::pread(part_.get(), buffer.data(), wanted, size_);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      hasher_.Update({buffer.data(), static_cast<size_t>(got)});
      if (head_.size() < kPointerBytes)
        head_.append(buffer.data(), std::min<size_t>(got, kPointerBytes));
      size_ += got;
    }
    if (size_ != note.end || hasher_.Peek() != note.digest) {
      Log("hub").Warn("a partial file does not match its journal; it is fetched anew",
                      {{"file", PartPath(target_).string()}});
      return Discard();
    }
  }
  if (size_ == 0) return Discard();
  if (::ftruncate(part_.get(), size_) != 0) return ErrnoStatus(errno, "cannot cut a partial file");
  noted_ = resumed_ = size_;
  return OkStatus();
}

Status PartialFile::Discard() {
  RestartHash();
  resumed_ = 0;
  journal_.Close();
  LLMD_RETURN_IF_ERROR(Unlink(JournalPath(target_)));
  if (::ftruncate(part_.get(), 0) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot empty {}", PartPath(target_).string()));
  }
  return OkStatus();
}

Status PartialFile::Append(std::string_view bytes) {
  if (size_ + static_cast<int64_t>(bytes.size()) > file_.size) {
    return DataLoss("{} is longer than the {} bytes that were listed", file_.path, file_.size);
  }
  hasher_.Update(bytes);
  if (head_.size() < kPointerBytes) head_.append(bytes.substr(0, kPointerBytes));
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(part_.get(), bytes.data(), bytes.size(), size_);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, fmt::format("cannot write {}", target_.string()));
    bytes.remove_prefix(static_cast<size_t>(written));
    size_ += written;
  }
  const bool due = size_ - noted_ >= kNoteEveryBytes ||
                   std::chrono::steady_clock::now() - noted_at_ >= kNoteEvery;
  return due ? Note() : OkStatus();
}

Status PartialFile::OpenJournal() {
  if (journal_.valid()) return OkStatus();
  const fs::path path = JournalPath(target_);
  LLMD_ASSIGN_OR_RETURN(journal_, OpenFile(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0644));
  LLMD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxJournalBytes));
  if (text.empty()) return WriteAll(journal_.get(), JournalHead(file_) + "\n");
  // An earlier process may have died in the middle of a line.
  const size_t whole = text.rfind('\n') + 1;
  if (whole == text.size()) return OkStatus();
  if (::ftruncate(journal_.get(), static_cast<off_t>(whole)) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot mend {}", path.string()));
  }
  return OkStatus();
}

Status PartialFile::Note() {
  // Data first: a note must never promise bytes that a power cut could take.
  LLMD_RETURN_IF_ERROR(Sync(part_.get(), PartPath(target_)));
  LLMD_RETURN_IF_ERROR(OpenJournal());
  LLMD_RETURN_IF_ERROR(
      WriteAll(journal_.get(), fmt::format("{} {} {}\n", noted_, size_, hasher_.Peek())));
  noted_ = size_;
  noted_at_ = std::chrono::steady_clock::now();
  return OkStatus();
}

Status PartialFile::Keep() { return size_ > noted_ ? Note() : OkStatus(); }

Status PartialFile::Mismatch(std::string_view what, const std::string& found,
                             const std::string& wanted) {
  LLMD_RETURN_IF_ERROR(Discard());
  return MakeStatus(StatusCode::kDataLoss,
                    fmt::format("{} arrived damaged: its {} is {}, listed is {}", file_.path, what,
                                found, wanted),
                    {.code = "checksum_mismatch",
                     .next_step = "Try again; if it stays so, the source's file is damaged."});
}

Status PartialFile::Finish() {
  if (size_ != file_.size) {
    return Mismatch("size", std::to_string(size_), std::to_string(file_.size));
  }
  if (IsLfsPointer(head_) && size_ < static_cast<int64_t>(kPointerBytes)) {
    LLMD_RETURN_IF_ERROR(Discard());
    return LfsPointerError(file_.path);
  }
  const bool git = IsGitFile(file_);
  const std::string& wanted = git ? file_.git_oid : file_.sha256;
  const std::string found = hasher_.Finish();
  if (!wanted.empty() && found != wanted) {
    return Mismatch(git ? "git SHA-1" : "SHA-256", found, wanted);
  }
  if (::ftruncate(part_.get(), size_) != 0 || ::fsync(part_.get()) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot make {} durable", target_.string()));
  }
  if (::rename(PartPath(target_).c_str(), target_.c_str()) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot put {} in place", target_.string()));
  }
  journal_.Close();
  return Unlink(JournalPath(target_));
}

int64_t PartialFile::MissingSpace(const FileEntry& file, const fs::path& target) {
  constexpr int64_t kStatBlock = 512;
  struct stat info {};
  if (::lstat(PartPath(target).c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return file.size;
  return std::max<int64_t>(0, file.size - static_cast<int64_t>(info.st_blocks) * kStatBlock);
}

}  // namespace llmd::hub
