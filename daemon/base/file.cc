#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>

namespace llmd {

namespace fs = std::filesystem;

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void FileDescriptor::Close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

StatusOr<FileDescriptor> OpenFile(const fs::path& path, int flags, mode_t mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return ErrnoStatus(errno, fmt::format("cannot open {}", path.string()));
  return FileDescriptor(fd);
}

StatusOr<std::string> ReadFile(const fs::path& path, size_t max_bytes) {
  LLMD_ASSIGN_OR_RETURN(FileDescriptor file, OpenFile(path, O_RDONLY));
  std::string content;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, fmt::format("cannot read {}", path.string()));
    if (got == 0) return content;
    if (content.size() + static_cast<size_t>(got) > max_bytes) {
      return MakeStatus(StatusCode::kResourceExhausted,
                        fmt::format("{} holds more than {} bytes", path.string(), max_bytes),
                        {.code = "file_too_large", .next_step = ""});
    }
    content.append(buffer, static_cast<size_t>(got));
  }
}

Status WriteAll(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, "cannot write");
    data.remove_prefix(static_cast<size_t>(written));
  }
  return OkStatus();
}

namespace {

std::string TemporarySuffix() {
  std::random_device random;
  return fmt::format(".tmp-{:08x}", random());
}

Status WriteDurably(const fs::path& path, std::string_view content, mode_t mode) {
  LLMD_ASSIGN_OR_RETURN(FileDescriptor file, OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, mode));
  LLMD_RETURN_IF_ERROR(Annotate(WriteAll(file.get(), content), path.string()));
  if (::fsync(file.get()) != 0) return ErrnoStatus(errno, fmt::format("fsync {}", path.string()));
  return OkStatus();
}

}  // namespace

Status WriteFileAtomically(const fs::path& path, std::string_view content, mode_t mode) {
  const fs::path temporary = path.string() + TemporarySuffix();
  Status status = WriteDurably(temporary, content, mode);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = ErrnoStatus(errno, fmt::format("cannot replace {}", path.string()));
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return SyncFolder(path.parent_path());
}

Status SyncFolder(const fs::path& folder) {
  const fs::path target = folder.empty() ? fs::path(".") : folder;
  LLMD_ASSIGN_OR_RETURN(FileDescriptor file, OpenFile(target, O_RDONLY | O_DIRECTORY));
  if (::fsync(file.get()) != 0 && errno != EINVAL) {
    return ErrnoStatus(errno, fmt::format("fsync {}", target.string()));
  }
  return OkStatus();
}

Status SyncFileSystem(const fs::path& path) {
  LLMD_ASSIGN_OR_RETURN(FileDescriptor file, OpenFile(path, O_RDONLY));
#if defined(__APPLE__)
  ::sync();
#else
  if (::syncfs(file.get()) != 0) return ErrnoStatus(errno, fmt::format("sync {}", path.string()));
#endif
  return OkStatus();
}

Status MakeFolders(const fs::path& folder, mode_t mode) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return OkStatus();
    return FailedPrecondition("{} is not a folder", folder.string());
  }
  if (folder.has_parent_path() && folder.parent_path() != folder) {
    LLMD_RETURN_IF_ERROR(MakeFolders(folder.parent_path(), mode));
  }
  if (::mkdir(folder.c_str(), mode) == 0) return OkStatus();
  const int error = errno;
  // Somebody else may have made it meanwhile.
  if (error == EEXIST && ::stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return OkStatus();
  }
  return ErrnoStatus(error, fmt::format("cannot create folder {}", folder.string()));
}

Status RemoveTree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return ErrnoStatus(error.value(), fmt::format("cannot remove {}", path.string()));
  return OkStatus();
}

namespace {

#if defined(__APPLE__)
constexpr unsigned kNoReplace = RENAME_EXCL;
constexpr unsigned kExchange = RENAME_SWAP;
int RenameWithFlags(const char* from, const char* to, unsigned flags) {
  return ::renamex_np(from, to, flags);
}
#else
constexpr unsigned kNoReplace = RENAME_NOREPLACE;
constexpr unsigned kExchange = RENAME_EXCHANGE;
int RenameWithFlags(const char* from, const char* to, unsigned flags) {
  return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}
#endif

Status Rename(const fs::path& from, const fs::path& to, unsigned flags) {
  if (RenameWithFlags(from.c_str(), to.c_str(), flags) != 0) {
    const std::string what = fmt::format("cannot move {} to {}", from.string(), to.string());
    if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP) {
      return MakeStatus(StatusCode::kUnimplemented, what);
    }
    return ErrnoStatus(errno == ENOTEMPTY ? EEXIST : errno, what);
  }
  LLMD_RETURN_IF_ERROR(SyncFolder(to.parent_path()));
  return from.parent_path() == to.parent_path() ? OkStatus() : SyncFolder(from.parent_path());
}

// For file systems that cannot do it in one step: a file that appears at `to` in between is
// replaced, a folder with something in it never is.
Status RenameIfFree(const fs::path& from, const fs::path& to) {
  struct stat info {};
  if (::lstat(to.c_str(), &info) == 0) {
    return ErrnoStatus(EEXIST, fmt::format("cannot move {} to {}", from.string(), to.string()));
  }
  return Rename(from, to, 0);
}

}  // namespace

Status RenameNoReplace(const fs::path& from, const fs::path& to) {
  const Status status = Rename(from, to, kNoReplace);
  return status.code() == StatusCode::kUnimplemented ? RenameIfFree(from, to) : status;
}

Status ExchangePaths(const fs::path& a, const fs::path& b) { return Rename(a, b, kExchange); }

}  // namespace llmd
