#include "hub/verified_list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "base/hash.h"

namespace llmd::hub {
namespace {

constexpr size_t kMaxListBytes = 64u << 20;
constexpr size_t kSha256Length = 64;

// Agrees with what the source says about it.
bool Matches(const FileEntry& file, const std::filesystem::path& path, const std::string& sha256) {
  if (!file.sha256.empty()) return file.sha256 == sha256;
  if (file.git_oid.empty()) return true;
  const StatusOr<std::string> content = ReadFile(path, static_cast<size_t>(file.size) + 1);
  return content.ok() && GitBlobSha1(*content) == file.git_oid;
}

}  // namespace

std::string VerifiedList::Stamp(const FileEntry& file) const {
  struct stat info {};
  const std::string path = (folder_ / file.path).string();
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
#if defined(__APPLE__)
  const auto& modified = info.st_mtimespec;
#else
  const auto& modified = info.st_mtim;
#endif
  return fmt::format("{} {}.{:09} {}", info.st_size, modified.tv_sec, modified.tv_nsec,
                     info.st_ino);
}

Status VerifiedList::Load() {
  MutexLock lock(mutex_);
  const StatusOr<std::string> text = ReadFile(Path(), kMaxListBytes);
  if (!text.ok()) return OkStatus();  // nothing noted, or nothing that helps
  std::istringstream lines(text->substr(0, text->rfind('\n') + 1));
  for (std::string line; std::getline(lines, line);) {
    // <sha256> <size> <mtime> <inode> <path>; a path may hold spaces
    size_t at = 0;
    for (int field = 0; field < 4 && at != std::string::npos; ++field) at = line.find(' ', at + 1);
    if (at == std::string::npos) continue;
    entries_.insert_or_assign(line.substr(at + 1), line.substr(0, at));
  }
  return OkStatus();
}

std::string VerifiedList::Find(const FileEntry& file) {
  const std::string stamp = Stamp(file);
  if (stamp.empty() || !stamp.starts_with(std::to_string(file.size) + ' ')) return {};
  std::string noted;
  {
    MutexLock lock(mutex_);
    const auto at = entries_.find(file.path);
    if (at != entries_.end()) noted = at->second;
  }
  const bool unchanged = noted.size() > kSha256Length && noted.substr(kSha256Length + 1) == stamp;
  std::string sha256 = noted.substr(0, kSha256Length);
  const bool vouched = !file.sha256.empty() || !file.git_oid.empty();
  if (unchanged && (!vouched || file.sha256 == sha256)) return sha256;
  if (!vouched) return {};  // it is there without a note, and nothing to check it by
  const StatusOr<std::string> found = Sha256OfFile(folder_ / file.path);
  return found.ok() && Matches(file, folder_ / file.path, *found) ? *found : std::string();
}

Status VerifiedList::Add(const FileEntry& file) {
  const std::string line = fmt::format("{} {} {}\n", file.sha256, Stamp(file), file.path);
  MutexLock lock(mutex_);
  if (!file_.valid()) {
    LLMD_ASSIGN_OR_RETURN(file_,
                          OpenFile(Path(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0644));
  }
  return WriteAll(file_.get(), line);
}

Status VerifiedList::Remove() {
  MutexLock lock(mutex_);
  file_.Close();
  if (::unlink(Path().c_str()) == 0 || errno == ENOENT) return OkStatus();
  return ErrnoStatus(errno, fmt::format("cannot remove {}", Path().string()));
}

}  // namespace llmd::hub
