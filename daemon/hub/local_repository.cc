#include "hub/local_repository.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "domain/names.h"
#include "hub/copy_file.h"
#include "hub/hub_error.h"
#include "hub/model_card.h"
#include "hub/partial_file.h"
#include "hub/repository_info.h"

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxCardBytes = 1u << 20;

bool IsInside(const fs::path& path, const fs::path& boundary) {
  const auto [end, unused] =
      std::mismatch(boundary.begin(), boundary.end(), path.begin(), path.end());
  return end == boundary.end();
}

Status Outside(std::string_view path) {
  return MakeStatus(
      StatusCode::kInvalidArgument,
      fmt::format("'{}' is a link that leads out of the folder", SanitizeForTerminal(path)),
      {.code = "unsafe_path",
       .next_step = "Put the file itself there, or remove the link; a snapshot of a Hugging Face "
                    "cache is taken where it lies, models--org--name/snapshots/<commit>."});
}

Status BrokenLink(std::string_view path) {
  return MakeStatus(
      StatusCode::kFailedPrecondition,
      fmt::format("'{}' is a link to a file that is not there", SanitizeForTerminal(path)),
      {.code = "broken_link", .next_step = "Bring that file back, or remove the link."});
}

// Version control and caches are no part of a model.
bool IsSkippedFolder(const fs::path& name) {
  return name == ".git" || name == ".cache" || name == ".venv" || name == "__pycache__";
}

// What the names in a Hugging Face cache say: a blob is called by its hash.
void TakeHashFromBlobName(const fs::path& link, FileEntry& file) {
  std::error_code error;
  const fs::path blob = fs::read_symlink(link, error);
  if (error || blob.parent_path().filename() != "blobs") return;
  const std::string name = blob.filename().string();
  if (IsHex(name, 64)) file.sha256 = name;
  if (IsHex(name, 40)) file.git_oid = name;
}

}  // namespace

LocalRepository::LocalRepository(RepositoryInfo info, fs::path root, fs::path boundary)
    : info_(std::move(info)), root_(std::move(root)), boundary_(std::move(boundary)) {}

bool LocalRepository::MayRead(const fs::path& real) const {
  return IsInside(real, root_) || IsInside(real, boundary_);
}

StatusOr<FileInventory> LocalRepository::List(const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(cancel.Check());
  {
    MutexLock lock(mutex_);
    if (list_ != nullptr) return *list_;
  }
  LLMD_ASSIGN_OR_RETURN(FileInventory inventory, Walk(cancel));
  const auto list = std::make_shared<const FileInventory>(std::move(inventory));
  MutexLock lock(mutex_);
  list_ = list;
  return *list;
}

StatusOr<FileInventory> LocalRepository::Walk(const CancelToken& cancel) const {
  std::vector<FileEntry> files;
  std::error_code error;
  fs::recursive_directory_iterator at(root_, error), end;
  for (; !error && at != end; at.increment(error)) {
    LLMD_RETURN_IF_ERROR(cancel.Check());
    const fs::path& path = at->path();
    if (at->is_directory(error)) {  // of a link: what it leads to; the iterator never enters it
      if (!at->is_symlink(error) && IsSkippedFolder(path.filename()))
        at.disable_recursion_pending();
      continue;
    }
    FileEntry file{.path = path.lexically_relative(root_).generic_string()};
    if (at->is_symlink(error)) {
      const fs::path real = fs::canonical(path, error);
      if (error) return BrokenLink(file.path);
      if (!MayRead(real)) return Outside(file.path);
      TakeHashFromBlobName(path, file);
    }
    if (!at->is_regular_file(error)) continue;  // sockets, devices
    LLMD_RETURN_IF_ERROR(ValidateRepoPath(file.path));
    file.size = static_cast<int64_t>(fs::file_size(path, error));
    files.push_back(std::move(file));
    if (files.size() > kMaxInventoryEntries) return TooManyFiles(root_.string());
  }
  if (error) return ErrnoStatus(error.value(), fmt::format("cannot read {}", root_.string()));
  return MakeInventory(std::move(files));
}

StatusOr<LocalRepository::OpenedFile> LocalRepository::OpenInside(std::string_view path) const {
  LLMD_RETURN_IF_ERROR(ValidateRepoPath(path));
  std::error_code error;
  const fs::path real = fs::canonical(root_ / fs::path(path), error);
  if (error) return FileNotFound(info_.repo_id, path);
  if (!MayRead(real)) return Outside(path);
  OpenedFile file;
  // O_NONBLOCK: a pipe in that place must not hold us.
  LLMD_ASSIGN_OR_RETURN(file.descriptor, OpenFile(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (::fstat(file.descriptor.get(), &info) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot read {}", real.string()));
  }
  if (!S_ISREG(info.st_mode)) return InvalidArgument("{} is not a regular file", real.string());
  file.size = info.st_size;
  return file;
}

StatusOr<std::string> LocalRepository::ReadSmall(std::string_view path, size_t max_bytes,
                                                 const CancelToken& cancel) {
  LLMD_ASSIGN_OR_RETURN(const OpenedFile file, OpenInside(path));
  if (file.size > static_cast<int64_t>(max_bytes)) return FileTooLarge(path, file.size, max_bytes);
  return ReadRange(path, 0, file.size, cancel);
}

StatusOr<std::string> LocalRepository::ReadRange(std::string_view path, int64_t offset,
                                                 int64_t length, const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(cancel.Check());
  if (offset < 0 || length < 0) return InvalidArgument("range {}+{} of {}", offset, length, path);
  LLMD_ASSIGN_OR_RETURN(const OpenedFile file, OpenInside(path));
  const int64_t wanted = std::clamp<int64_t>(file.size - offset, 0, length);
  std::string bytes(static_cast<size_t>(wanted), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(file.descriptor.get(), bytes.data() + done, bytes.size() - done,
                                offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, fmt::format("cannot read {}", path));
    if (got == 0) break;  // it became shorter meanwhile
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  if (offset == 0 && IsLfsPointer(bytes)) return LfsPointerError(path);
  return bytes;
}

Status LocalRepository::Fetch(const FileEntry& file, const std::string& target,
                              const ProgressSink& progress, const CancelToken& cancel) {
  LLMD_ASSIGN_OR_RETURN(const OpenedFile source, OpenInside(file.path));
  if (source.size != file.size) {
    return MakeStatus(StatusCode::kFailedPrecondition,
                      fmt::format("{} changed while it was read: {} bytes, before {}", file.path,
                                  source.size, file.size),
                      {.code = "source_changed", .next_step = "Try again when it is complete."});
  }
  return CopyVerified(source.descriptor.get(), file, target, progress, cancel);
}

namespace {

// What the Hub says about a repository stands in its model card, too.
std::unique_ptr<Repository> WithCard(RepositoryInfo info, const fs::path& root,
                                     const fs::path& boundary) {
  LocalRepository plain(info, root, boundary);
  const StatusOr<std::string> card = plain.ReadSmall("README.md", kMaxCardBytes, CancelToken());
  if (card.ok()) TakeModelCard(*card, info);
  return std::make_unique<LocalRepository>(std::move(info), root, boundary);
}

}  // namespace

namespace {

constexpr std::string_view kCachePrefix = "models--";
constexpr size_t kMaxRefBytes = 256;

// "models--org--name" -> "org/name"; empty when it is no such name.
std::string RepoIdOf(const fs::path& folder) {
  std::string name = folder.filename().string();
  if (!name.starts_with(kCachePrefix)) return {};
  name.erase(0, kCachePrefix.size());
  if (const size_t at = name.find("--"); at != name.npos) name.replace(at, 2, "/");
  return ValidateRepoId(name).ok() ? name : std::string();
}

// The snapshot that `main` is, or the only one.
StatusOr<fs::path> SnapshotIn(const fs::path& folder) {
  const StatusOr<std::string> main = ReadFile(folder / "refs/main", kMaxRefBytes);
  std::error_code error;
  if (main.ok()) {
    const fs::path root = folder / "snapshots" / main->substr(0, 40);
    if (IsHex(main->substr(0, 40), 40) && fs::is_directory(root, error)) return root;
  }
  std::vector<fs::path> snapshots;
  for (fs::directory_iterator at(folder / "snapshots", error), end; !error && at != end;
       at.increment(error)) {
    snapshots.push_back(at->path());
  }
  if (snapshots.size() == 1) return snapshots.front();
  return MakeStatus(StatusCode::kNotFound,
                    fmt::format("{} has {} snapshots, and none is said to be main's",
                                folder.string(), snapshots.size()),
                    {.code = "repository_not_found",
                     .next_step = "Give the path of one of the folders in its snapshots/."});
}

// A snapshot in a Hugging Face cache that was named by its path: its links lead to the blobs of the
// same repository and nowhere else.
std::unique_ptr<Repository> OpenSnapshot(const fs::path& root) {
  const fs::path folder = root.parent_path().parent_path();
  RepositoryInfo info{.repo_id = RepoIdOf(folder), .source = "folder"};
  if (const std::string commit = root.filename().string(); IsHex(commit, 40)) {
    info.revision = commit;
  }
  return WithCard(std::move(info), root, folder / "blobs");
}

}  // namespace

StatusOr<std::unique_ptr<Repository>> OpenFolder(const fs::path& folder) {
  std::error_code error;
  fs::path root = fs::canonical(folder, error);
  if (error || !fs::is_directory(root, error)) {
    return MakeStatus(StatusCode::kNotFound, fmt::format("there is no folder {}", folder.string()),
                      {.code = "repository_not_found",
                       .next_step = "Give the path of the folder that holds the model's files."});
  }
  if (!RepoIdOf(root).empty() && fs::is_directory(root / "snapshots", error)) {
    LLMD_ASSIGN_OR_RETURN(root, SnapshotIn(root));
  }
  const fs::path above = root.parent_path();
  if (above.filename() == "snapshots" && !RepoIdOf(above.parent_path()).empty()) {
    return OpenSnapshot(root);
  }
  std::string name = root.filename().string();
  for (char& c : name) {
    const bool plain = isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
    if (!plain) c = '_';
  }
  RepositoryInfo info{.repo_id = "local/" + name, .source = "folder"};
  if (!ValidateRepoId(info.repo_id).ok()) info.repo_id = "local/model";
  return WithCard(std::move(info), root, root);
}

namespace {

std::string CacheFolderName(std::string_view repo_id) {
  std::string name(kCachePrefix);
  for (const char c : repo_id) {
    if (c == '/') {
      name += "--";
    } else {
      name.push_back(c);
    }
  }
  return name;
}

StatusOr<std::string> CachedCommit(const fs::path& folder, const std::string& revision) {
  if (IsHex(revision, 40)) return revision;
  // A revision is a name like a path: "refs/pr/1", "v1.0".
  LLMD_RETURN_IF_ERROR(ValidateRepoPath(revision));
  LLMD_ASSIGN_OR_RETURN(std::string commit, ReadFile(folder / "refs" / revision, kMaxRefBytes));
  while (commit.ends_with('\n')) commit.pop_back();
  if (!IsHex(commit, 40)) return DataLoss("the cache's entry for '{}' is no commit", revision);
  return commit;
}

}  // namespace

StatusOr<std::unique_ptr<Repository>> OpenCached(const fs::path& cache_folder,
                                                 const std::string& repo_id,
                                                 const std::string& revision) {
  LLMD_RETURN_IF_ERROR(ValidateRepoId(repo_id));
  const Status missing = MakeStatus(
      StatusCode::kNotFound,
      fmt::format("the Hugging Face cache {} does not have {} at '{}'", cache_folder.string(),
                  repo_id, revision),
      {.code = "repository_not_found", .next_step = "Fetch it from the Hub while online."});
  std::error_code error;
  const fs::path boundary = fs::canonical(cache_folder, error);
  if (error) return missing;
  const fs::path folder = boundary / CacheFolderName(repo_id);
  const StatusOr<std::string> commit = CachedCommit(folder, revision);
  if (!commit.ok()) return missing;
  const fs::path root = folder / "snapshots" / *commit;
  if (!fs::is_directory(root, error)) return missing;
  RepositoryInfo info{.repo_id = repo_id, .source = "cache", .revision = *commit};
  return WithCard(std::move(info), root, boundary);
}

}  // namespace llmd::hub
