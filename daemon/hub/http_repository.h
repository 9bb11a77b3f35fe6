// HttpRepository: a repository on the Hub (or a mirror) at one commit. What was read once is read
// from `kept_in` afterwards, by later processes too. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "hub/hub_client.h"
#include "hub/range_reader.h"
#include "hub/read_store.h"
#include "hub/repository.h"

namespace llmd::hub {

// Resolves a revision; one request.
StatusOr<RepositoryInfo> FetchInfo(HubClient& client, const std::string& repo_id,
                                   const std::string& revision, const CancelToken& cancel);

class HttpRepository final : public Repository {
 public:
  // `info` has a commit. An empty `kept_in` keeps what was read in memory.
  HttpRepository(std::unique_ptr<HubClient> client, RepositoryInfo info,
                 std::filesystem::path kept_in);

  // Files of the same commit that are on this machine: Fetch takes them while offline.
  void SetLocalFiles(std::unique_ptr<Repository> files) { local_files_ = std::move(files); }

  const RepositoryInfo& info() const override { return info_; }
  StatusOr<FileInventory> List(const CancelToken& cancel) override;
  StatusOr<std::string> ReadSmall(std::string_view path, size_t max_bytes,
                                  const CancelToken& cancel) override;
  StatusOr<std::string> ReadRange(std::string_view path, int64_t offset, int64_t length,
                                  const CancelToken& cancel) override;
  Status Prefetch(const std::vector<ReadRequest>& wanted, const CancelToken& cancel) override;
  Status CheckAccess(const CancelToken& cancel) override;
  Status Fetch(const FileEntry& file, const std::string& target, const ProgressSink& progress,
               const CancelToken& cancel) override;

 private:
  // Part of a listed file, cut to what the file has.
  struct Span {
    FileEntry file;
    int64_t offset = 0;
    int64_t length = 0;
    bool whole() const { return length == file.size; }
  };
  StatusOr<std::shared_ptr<const FileInventory>> KnownList(const CancelToken& cancel);
  StatusOr<FileInventory> FetchTree(const CancelToken& cancel);
  StatusOr<Span> SpanOf(std::string_view path, int64_t offset, int64_t length,
                        const CancelToken& cancel);
  // From what is kept, else from the network; checked where it is the whole file.
  StatusOr<std::string> Read(const Span& span, const CancelToken& cancel);
  Subject About(std::string path) const;

  const std::unique_ptr<HubClient> client_;
  const RepositoryInfo info_;
  const std::filesystem::path kept_in_;
  std::unique_ptr<Repository> local_files_;
  RangeReader reader_;
  ReadStore store_;
  Mutex mutex_;
  std::shared_ptr<const FileInventory> list_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::hub
