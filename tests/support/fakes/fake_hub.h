// A Hub whose repositories are folders on disk, with failures on request.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/hash.h"
#include "base/mutex.h"
#include "hub/local_repository.h"
#include "hub/repository.h"

namespace llmd::testing {

class FakeHub final : public hub::Hub {
 public:
  // `folder` is served as `repo_id`; its commit follows from the id.
  void Add(const std::string& repo_id, const std::filesystem::path& folder) {
    Add({.repo_id = repo_id, .source = "hub", .revision = Sha256Hex(repo_id).substr(0, 40)},
        folder);
  }
  void Add(RepositoryInfo info, const std::filesystem::path& folder) {
    MutexLock lock(mutex_);
    std::string id = info.repo_id;
    folders_[std::move(id)] = {std::move(info), std::filesystem::canonical(folder)};
  }
  // Opening fails so from now on; an OK status ends it.
  void FailOpen(Status status) {
    MutexLock lock(mutex_);
    failure_ = std::move(status);
  }
  int opened() const {
    MutexLock lock(mutex_);
    return opened_;
  }
  hub::RepositoryRequest last_request() const {
    MutexLock lock(mutex_);
    return last_request_;
  }

  StatusOr<std::unique_ptr<hub::Repository>> Open(const hub::RepositoryRequest& request,
                                                  const CancelToken& cancel) override {
    LLMD_RETURN_IF_ERROR(cancel.Check());
    MutexLock lock(mutex_);
    ++opened_;
    last_request_ = request;
    LLMD_RETURN_IF_ERROR(failure_);
    if (request.repo_id.starts_with('/')) return hub::OpenFolder(request.repo_id);
    const auto at = folders_.find(request.repo_id);
    if (at == folders_.end()) {
      return MakeStatus(StatusCode::kNotFound,
                        fmt::format("there is no repository {}", request.repo_id),
                        {.code = "repository_not_found"});
    }
    const auto& [info, folder] = at->second;
    return std::unique_ptr<hub::Repository>(new hub::LocalRepository(info, folder, folder));
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::pair<RepositoryInfo, std::filesystem::path>> folders_
      LLMD_GUARDED_BY(mutex_);
  Status failure_ LLMD_GUARDED_BY(mutex_);
  int opened_ LLMD_GUARDED_BY(mutex_) = 0;
  hub::RepositoryRequest last_request_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::testing
