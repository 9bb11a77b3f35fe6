#include "hub/copy_file.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#endif

#include <cerrno>
#include <vector>

#include "base/file.h"
#include "hub/partial_file.h"

namespace llmd::hub {
namespace {

constexpr size_t kPieceBytes = 1u << 20;

StatusOr<size_t> ReadAt(int source, std::vector<char>& buffer, int64_t offset,
                        std::string_view path) {
  for (;;) {
    const ssize_t got = ::pread(source, buffer.data(), buffer.size(), offset);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) return ErrnoStatus(errno, fmt::format("cannot read {}", path));
  }
}

// True when the target now shares the source's blocks.
bool Reflink(int source, int target) {
#if defined(FICLONE)
  return ::ioctl(target, FICLONE, source) == 0;
#else
  static_cast<void>(source), static_cast<void>(target);
  return false;
#endif
}

// Without a hash to check against there is nothing to read: the blocks are shared and renamed.
// Small files are read, since one may be the pointer that Git LFS leaves in place of another.
StatusOr<bool> TryReflink(int source, const FileEntry& file, const std::string& target) {
  constexpr int64_t kWorthSharing = 1 << 20;
  if (!file.sha256.empty() || !file.git_oid.empty() || file.size < kWorthSharing) return false;
  const std::string part = PartialFile::PartPath(target);
  LLMD_ASSIGN_OR_RETURN(const FileDescriptor descriptor,
                        OpenFile(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
  if (!Reflink(source, descriptor.get())) return false;
  if (::fsync(descriptor.get()) != 0) return ErrnoStatus(errno, fmt::format("fsync {}", part));
  if (::rename(part.c_str(), target.c_str()) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot put {} in place", target));
  }
  return true;
}

}  // namespace

Status CopyVerified(int source, const FileEntry& file, const std::string& target,
                    const ProgressSink& progress, const CancelToken& cancel) {
  LLMD_ASSIGN_OR_RETURN(const bool shared, TryReflink(source, file, target));
  if (shared) {
    if (progress) progress({.bytes_done = file.size, .bytes_total = file.size});
    return OkStatus();
  }
  LLMD_ASSIGN_OR_RETURN(PartialFile partial, PartialFile::Open(file, target, cancel));
  if (progress) progress({.bytes_done = partial.size(), .bytes_total = file.size});
  std::vector<char> buffer(kPieceBytes);
  for (;;) {
    LLMD_RETURN_IF_ERROR(cancel.Check());
    LLMD_ASSIGN_OR_RETURN(const size_t got, ReadAt(source, buffer, partial.size(), file.path));
    if (got == 0) return partial.Finish();
    LLMD_RETURN_IF_ERROR(partial.Append({buffer.data(), got}));
    if (progress) progress({.bytes_done = partial.size(), .bytes_total = file.size});
  }
}

}  // namespace llmd::hub
