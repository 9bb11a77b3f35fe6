// LocalRepository: files that are on this machine already, seen as a repository: a folder of the
// user's, or one snapshot in a Hugging Face cache. Read-only. Symbolic links are followed only to
// regular files inside `root` or `boundary`. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/mutex.h"
#include "hub/repository.h"

namespace llmd::hub {

class LocalRepository final : public Repository {
 public:
  // Both are real paths (no links in them).
  LocalRepository(RepositoryInfo info, std::filesystem::path root, std::filesystem::path boundary);

  const RepositoryInfo& info() const override { return info_; }
  StatusOr<FileInventory> List(const CancelToken& cancel) override;
  StatusOr<std::string> ReadSmall(std::string_view path, size_t max_bytes,
                                  const CancelToken& cancel) override;
  StatusOr<std::string> ReadRange(std::string_view path, int64_t offset, int64_t length,
                                  const CancelToken& cancel) override;
  Status CheckAccess(const CancelToken& cancel) override { return cancel.Check(); }
  // A reflink where the file system can, else a copy: never a hard link, since the user may edit
  // the original.
  Status Fetch(const FileEntry& file, const std::string& target, const ProgressSink& progress,
               const CancelToken& cancel) override;

 private:
  struct OpenedFile {
    FileDescriptor descriptor;
    int64_t size = 0;
  };
  bool MayRead(const std::filesystem::path& real) const;
  StatusOr<OpenedFile> OpenInside(std::string_view path) const;
  StatusOr<FileInventory> Walk(const CancelToken& cancel) const;

  const RepositoryInfo info_;
  const std::filesystem::path root_;
  const std::filesystem::path boundary_;
  Mutex mutex_;
  std::shared_ptr<const FileInventory> list_ LLMD_GUARDED_BY(mutex_);
};

// A folder of the user's, by its absolute path. Its id is `local/<folder name>`; of a Hugging Face
// cache's folder models--org--name, or of one of its snapshots, org/name. kNotFound,
// kInvalidArgument.
StatusOr<std::unique_ptr<Repository>> OpenFolder(const std::filesystem::path& folder);

// A snapshot in a Hugging Face cache. kNotFound when the cache does not have it.
StatusOr<std::unique_ptr<Repository>> OpenCached(const std::filesystem::path& cache_folder,
                                                 const std::string& repo_id,
                                                 const std::string& revision);

}  // namespace llmd::hub
