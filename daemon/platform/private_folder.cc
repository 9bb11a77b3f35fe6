#include "platform/private_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace llmd::platform {
namespace {

Status Unsafe(const std::filesystem::path& folder, std::string_view why) {
  return MakeStatus(
      StatusCode::kPermissionDenied, fmt::format("{} {}", folder.string(), why),
      {.code = "unsafe_folder", .next_step = fmt::format("Remove or rename {}.", folder.string())});
}

}  // namespace

Status CheckPrivateFolder(const std::filesystem::path& folder) {
  struct stat facts {};
  if (::lstat(folder.c_str(), &facts) != 0) return ErrnoStatus(errno, folder.string());
  if (!S_ISDIR(facts.st_mode)) return Unsafe(folder, "is not a folder");
  if (facts.st_uid != ::geteuid()) return Unsafe(folder, "belongs to another user");
  if ((facts.st_mode & 077) != 0) return Unsafe(folder, "is open to other users");
  return OkStatus();
}

Status MakePrivateFolder(const std::filesystem::path& folder) {
  LLMD_RETURN_IF_ERROR(MakeFolders(folder, 0700));
  // Opened without following a link, so that the mode is changed of what was looked at.
  LLMD_ASSIGN_OR_RETURN(FileDescriptor opened,
                        OpenFile(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  struct stat facts {};
  if (::fstat(opened.get(), &facts) != 0) return ErrnoStatus(errno, folder.string());
  if (facts.st_uid == ::geteuid() && (facts.st_mode & 077) != 0 &&
      ::fchmod(opened.get(), 0700) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot close {} to others", folder.string()));
  }
  return CheckPrivateFolder(folder);
}

}  // namespace llmd::platform
