// HttpRepository: a repository on the Hub (or a mirror) at one commit. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "hub/hub_client.h"
#include "hub/range_reader.h"
#include "hub/repository.h"

namespace llmd::hub {

class HttpRepository final : public Repository {
 public:
  // Resolves the revision; one request.
  static StatusOr<std::unique_ptr<Repository>> Open(std::unique_ptr<HubClient> client,
                                                    const std::string& repo_id,
                                                    const std::string& revision,
                                                    const CancelToken& cancel);

  const RepositoryInfo& info() const override { return info_; }
  StatusOr<FileInventory> List(const CancelToken& cancel) override;
  StatusOr<std::string> ReadSmall(std::string_view path, size_t max_bytes,
                                  const CancelToken& cancel) override;
  StatusOr<std::string> ReadRange(std::string_view path, int64_t offset, int64_t length,
                                  const CancelToken& cancel) override;
  Status CheckAccess(const CancelToken& cancel) override;
  Status Fetch(const FileEntry& file, const std::string& target, const ProgressSink& progress,
               const CancelToken& cancel) override;

 private:
  HttpRepository(std::unique_ptr<HubClient> client, RepositoryInfo info);
  StatusOr<FileInventory> FetchTree(const CancelToken& cancel);
  // The listed entry; nullptr when the list has not been fetched or does not have it.
  std::shared_ptr<const FileInventory> KnownList();
  Subject About(std::string path) const;

  const std::unique_ptr<HubClient> client_;
  const RepositoryInfo info_;
  RangeReader reader_;
  Mutex mutex_;
  std::shared_ptr<const FileInventory> list_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::hub
