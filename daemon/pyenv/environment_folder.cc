#include "pyenv/environment_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_reader.h"

namespace llmd::pyenv {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kMarker[] = "llmd-environment.json";
constexpr char kPrefix[] = ".venv-";
constexpr size_t kHashLength = 12;

json Marker(const std::string& hash, const std::vector<std::string>& smoke_argv) {
  return {{"schema", 1}, {"hash", hash}, {"smoke", smoke_argv}};
}

// Thousands of files: one call for all of them instead of one for each.
Status SyncFileSystem(const fs::path& path) {
#if defined(__APPLE__)
  ::sync();
  return SyncFolder(path);
#else
  LLMD_ASSIGN_OR_RETURN(const FileDescriptor folder, OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (::syncfs(folder.get()) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot make {} durable", path.string()));
  }
  return OkStatus();
#endif
}

}  // namespace

fs::path EnvironmentFolder::building(const std::string& hash) const {
  return folder_ / (kPrefix + hash.substr(0, kHashLength));
}

bool EnvironmentFolder::IsWhole(const fs::path& environment, const std::string& hash,
                                const std::vector<std::string>& smoke_argv) {
  const StatusOr<json> marker = ReadJsonFile(environment / kMarker);
  return marker.ok() && *marker == Marker(hash, smoke_argv);
}

Status EnvironmentFolder::MarkWhole(const fs::path& environment, const std::string& hash,
                                    const std::vector<std::string>& smoke_argv) {
  LLMD_RETURN_IF_ERROR(SyncFileSystem(environment));
  return WriteFileAtomically(environment / kMarker, Marker(hash, smoke_argv).dump(2) + "\n", 0644);
}

Status EnvironmentFolder::Place(const std::string& hash) const {
  const fs::path built = building(hash);
  std::error_code error;
  if (!fs::exists(fs::symlink_status(placed(), error))) return RenameNoReplace(built, placed());
  const Status exchanged = ExchangePaths(built, placed());
  if (exchanged.code() != StatusCode::kUnimplemented) return exchanged;
  // This file system cannot exchange: for a moment there is no .venv. A build that is cut off right
  // here finds the whole one under its own name.
  LLMD_RETURN_IF_ERROR(RenameNoReplace(placed(), folder_ / (kPrefix + RandomHex(6))));
  return RenameNoReplace(built, placed());
}

Status EnvironmentFolder::RemoveLeftovers(const std::string& hash) const {
  const fs::path keep = hash.empty() ? fs::path() : building(hash);
  std::vector<fs::path> leftovers;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (entry.path().filename().string().starts_with(kPrefix) && entry.path() != keep) {
      leftovers.push_back(entry.path());
    }
  }
  for (const fs::path& path : leftovers) LLMD_RETURN_IF_ERROR(RemoveTree(path));
  return OkStatus();
}

}  // namespace llmd::pyenv
