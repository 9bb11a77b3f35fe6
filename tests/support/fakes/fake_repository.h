// A repository in memory: the same promises as the real ones, plus failures on request and a record
// of what was read.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/mutex.h"
#include "domain/names.h"
#include "hub/partial_file.h"
#include "hub/repository.h"
#include "hub/repository_info.h"

namespace llmd::testing {

class FakeRepository final : public hub::Repository {
 public:
  explicit FakeRepository(RepositoryInfo info = {.repo_id = "acme/tiny",
                                                 .source = "hub",
                                                 .revision = std::string(40, 'a')})
      : info_(std::move(info)) {}

  // A file with content; the list says its size and its hash.
  void Add(const std::string& path, const std::string& content) {
    MutexLock lock(mutex_);
    entries_[path] = {
        .path = path, .size = static_cast<int64_t>(content.size()), .sha256 = Sha256Hex(content)};
    contents_[path] = content;
  }
  // A file that is listed; its content is `head` followed by nothing (reads end there).
  void AddListed(FileEntry entry, const std::string& head = "") {
    MutexLock lock(mutex_);
    contents_[entry.path] = head;
    entries_[entry.path] = std::move(entry);
  }
  void Remove(const std::string& path) {
    MutexLock lock(mutex_);
    contents_.erase(path);
    entries_.erase(path);
  }
  // Every call that concerns `path` fails so; an empty path is List, "access" CheckAccess.
  void Fail(const std::string& path, Status status) {
    MutexLock lock(mutex_);
    failures_[path] = std::move(status);
  }
  RepositoryInfo& mutable_info() { return info_; }

  // "path offset+length" of each read, in order.
  std::vector<std::string> reads() const {
    MutexLock lock(mutex_);
    return reads_;
  }
  std::vector<std::vector<hub::ReadRequest>> prefetches() const {
    MutexLock lock(mutex_);
    return prefetches_;
  }

  const RepositoryInfo& info() const override { return info_; }

  StatusOr<FileInventory> List(const CancelToken& cancel) override {
    LLMD_RETURN_IF_ERROR(cancel.Check());
    std::vector<FileEntry> files;
    {
      MutexLock lock(mutex_);
      LLMD_RETURN_IF_ERROR(FailureOf(""));
      if (entries_.size() > kMaxInventoryEntries) {
        return MakeStatus(StatusCode::kResourceExhausted, "too many files",
                          {.code = "too_many_files"});
      }
      for (const auto& [path, entry] : entries_) files.push_back(entry);
    }
    for (const FileEntry& file : files) LLMD_RETURN_IF_ERROR(ValidateRepoPath(file.path));
    return hub::MakeInventory(std::move(files));
  }

  StatusOr<std::string> ReadSmall(std::string_view path, size_t max_bytes,
                                  const CancelToken& cancel) override {
    LLMD_ASSIGN_OR_RETURN(const FileEntry entry, Find(path, cancel));
    if (entry.size > static_cast<int64_t>(max_bytes)) {
      return MakeStatus(StatusCode::kResourceExhausted,
                        fmt::format("{} has {} bytes", path, entry.size),
                        {.code = "file_too_large"});
    }
    return ReadRange(path, 0, entry.size, cancel);
  }

  StatusOr<std::string> ReadRange(std::string_view path, int64_t offset, int64_t length,
                                  const CancelToken& cancel) override {
    if (offset < 0 || length < 0) return InvalidArgument("range {}+{} of {}", offset, length, path);
    LLMD_ASSIGN_OR_RETURN(const FileEntry entry, Find(path, cancel));
    MutexLock lock(mutex_);
    reads_.push_back(fmt::format("{} {}+{}", path, offset, length));
    const std::string& content = contents_[entry.path];
    if (offset >= static_cast<int64_t>(content.size())) return std::string();
    std::string bytes = content.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
    if (offset == 0 && hub::IsLfsPointer(bytes)) return hub::LfsPointerError(path);
    return bytes;
  }

  Status Prefetch(const std::vector<hub::ReadRequest>& wanted, const CancelToken& cancel) override {
    MutexLock lock(mutex_);
    prefetches_.push_back(wanted);
    return cancel.Check();
  }

  Status CheckAccess(const CancelToken& cancel) override {
    LLMD_RETURN_IF_ERROR(cancel.Check());
    MutexLock lock(mutex_);
    return FailureOf("access");
  }

  Status Fetch(const FileEntry& file, const std::string& target, const ProgressSink& progress,
               const CancelToken& cancel) override {
    LLMD_RETURN_IF_ERROR(Find(file.path, cancel).status());
    LLMD_ASSIGN_OR_RETURN(auto partial, hub::PartialFile::Open(file, target, cancel));
    std::string content;
    {
      MutexLock lock(mutex_);
      content = contents_[file.path];
    }
    const auto have = std::min(content.size(), static_cast<size_t>(partial.size()));
    LLMD_RETURN_IF_ERROR(partial.Append(std::string_view(content).substr(have)));
    if (progress) progress({.bytes_done = partial.size(), .bytes_total = file.size});
    return partial.Finish();
  }

 private:
  Status FailureOf(const std::string& path) const LLMD_REQUIRES(mutex_) {
    const auto at = failures_.find(path);
    return at == failures_.end() ? OkStatus() : at->second;
  }
  StatusOr<FileEntry> Find(std::string_view path, const CancelToken& cancel) const {
    LLMD_RETURN_IF_ERROR(cancel.Check());
    LLMD_RETURN_IF_ERROR(ValidateRepoPath(path));
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(FailureOf(std::string(path)));
    const auto at = entries_.find(std::string(path));
    if (at != entries_.end()) return at->second;
    return MakeStatus(StatusCode::kNotFound, fmt::format("{} has no file {}", info_.repo_id, path),
                      {.code = "file_not_found"});
  }

  RepositoryInfo info_;
  mutable Mutex mutex_;
  std::map<std::string, FileEntry> entries_ LLMD_GUARDED_BY(mutex_);
  std::map<std::string, std::string> contents_ LLMD_GUARDED_BY(mutex_);
  std::map<std::string, Status> failures_ LLMD_GUARDED_BY(mutex_);
  std::vector<std::string> reads_ LLMD_GUARDED_BY(mutex_);
  std::vector<std::vector<hub::ReadRequest>> prefetches_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::testing
