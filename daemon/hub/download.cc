#include "hub/download.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>

#include "base/file.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "domain/names.h"
#include "hub/partial_file.h"
#include "hub/verified_list.h"

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSmallFile = 1 << 20;

// Makes the folders of `path` below `root`, one by one, through descriptors: no link on the way is
// ever followed, so nothing is made outside `root`.
Status MakeParentsBeneath(const fs::path& root, const std::string& path) {
  LLMD_ASSIGN_OR_RETURN(FileDescriptor at, OpenFile(root, O_RDONLY | O_DIRECTORY));
  for (size_t begin = 0, slash = path.find('/'); slash != std::string::npos;
       begin = slash + 1, slash = path.find('/', begin)) {
    const std::string part = path.substr(begin, slash - begin);
    if (::mkdirat(at.get(), part.c_str(), 0755) != 0 && errno != EEXIST) {
      return ErrnoStatus(errno, fmt::format("cannot create the folder of {}", path));
    }
    const int next =
        ::openat(at.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) return ErrnoStatus(errno, fmt::format("cannot enter the folder of {}", path));
    at = FileDescriptor(next);
  }
  return OkStatus();
}

// One call of DownloadFiles: workers take files off a list until it is empty or one fails.
class Download {
 public:
  Download(Repository& repository, std::vector<FileEntry> files, fs::path folder,
           const DownloadOptions& options, const ProgressSink& progress, const CancelToken& cancel)
      : repository_(repository),
        files_(std::move(files)),
        folder_(std::move(folder)),
        options_(options),
        progress_(progress),
        stop_(cancel),
        verified_(folder_) {}

  StatusOr<std::vector<FileEntry>> Run(const CancelToken& cancel) {
    LLMD_RETURN_IF_ERROR(Prepare());
    LLMD_RETURN_IF_ERROR(CheckFreeSpace());
    Report();
    {
      std::vector<JoiningThread> workers;
      const int count = std::clamp<int>(options_.parallel_files, 1, 64);
      for (int i = 0; i < count && i < static_cast<int>(order_.size()); ++i) {
        workers.emplace_back("download", [this] { Work(); });
      }
    }
    LLMD_RETURN_IF_ERROR(cancel.Check());
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(first_error_);
    LLMD_RETURN_IF_ERROR(SyncFolders());
    LLMD_RETURN_IF_ERROR(verified_.Remove());
    return std::move(files_);
  }

 private:
  fs::path Target(const FileEntry& file) const { return folder_ / file.path; }

  // Checks names, makes folders, and finds out what is there already.
  Status Prepare() {
    LLMD_RETURN_IF_ERROR(MakeFolders(folder_));
    LLMD_RETURN_IF_ERROR(verified_.Load());
    for (size_t i = 0; i < files_.size(); ++i) {
      FileEntry& file = files_[i];
      LLMD_RETURN_IF_ERROR(ValidateRepoPath(file.path));
      LLMD_RETURN_IF_ERROR(MakeParentsBeneath(folder_, file.path));
      total_bytes_ += file.size;
      if (const std::string sha256 = verified_.Find(file); !sha256.empty()) {
        file.sha256 = sha256;
        done_bytes_ += file.size;
        Count("reused", file.size);
        continue;
      }
      missing_bytes_ += PartialFile::MissingSpace(file, Target(file));
      order_.push_back(i);
    }
    // Small ones first, while connections are warm; then the longest, so that none is left to the
    // end alone.
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
      const bool small_a = files_[a].size <= kSmallFile;
      const bool small_b = files_[b].size <= kSmallFile;
      if (small_a != small_b) return small_a;
      return !small_a && files_[a].size > files_[b].size;
    });
    return OkStatus();
  }

  Status CheckFreeSpace() const {
    struct statvfs info {};
    if (missing_bytes_ == 0 || ::statvfs(folder_.c_str(), &info) != 0) return OkStatus();
    const auto free_bytes =
        static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
    const int64_t needed = missing_bytes_ + missing_bytes_ / 20;
    if (needed <= free_bytes) return OkStatus();
    return MakeStatus(
        StatusCode::kResourceExhausted,
        fmt::format("{} needs {} ({} bytes) of disk space, {} ({} bytes) are free",
                    folder_.string(), FormatBytes(needed), needed, FormatBytes(free_bytes),
                    free_bytes),
        {.code = "disk_full", .next_step = "Free some space, or put LLMD_HOME on a larger disk."});
  }

  void Work() {
    for (;;) {
      const size_t turn = next_.fetch_add(1);
      if (turn >= order_.size() || stop_.token().IsCancelled()) return;
      const Status status = FetchOne(files_[order_[turn]]);
      if (status.ok()) continue;
      {
        MutexLock lock(mutex_);
        // Cancelling the others makes them fail, too; the first failure is the reason.
        if (first_error_.ok()) first_error_ = status;
      }
      stop_.Cancel();
      return;
    }
  }

  Status FetchOne(FileEntry& file) {
    const fs::path target = Target(file);
    int64_t last = 0;
    bool started = false;
    const ProgressSink track = [&](const Progress& now) {
      if (started && now.bytes_done > last) Count("fetched", now.bytes_done - last);
      if (!started) Count("reused", now.bytes_done);
      started = true;
      done_bytes_ += now.bytes_done - last;
      last = now.bytes_done;
      Report();
    };
    LLMD_RETURN_IF_ERROR(repository_.Fetch(file, target.string(), track, stop_.token()));
    if (file.sha256.empty()) {
      LLMD_ASSIGN_OR_RETURN(file.sha256, Sha256OfFile(target));
    }
    return verified_.Add(file);
  }

  void Report() {
    MutexLock lock(reporting_);  // keeps the figures in order
    if (progress_) progress_({.bytes_done = done_bytes_, .bytes_total = total_bytes_});
  }

  void Count(const char* result, int64_t bytes) {
    if (options_.metrics == nullptr || bytes <= 0) return;
    options_.metrics->Count(metric::kDownloadBytes, {{"result", result}},
                            static_cast<double>(bytes));
  }

  // The renames of all files become durable together.
  Status SyncFolders() const {
    std::set<fs::path> folders;
    for (const size_t i : order_) folders.insert(Target(files_[i]).parent_path());
    for (const fs::path& folder : folders) LLMD_RETURN_IF_ERROR(SyncFolder(folder));
    return OkStatus();
  }

  Repository& repository_;
  std::vector<FileEntry> files_;  // each entry is one worker's at a time
  const fs::path folder_;
  const DownloadOptions& options_;
  const ProgressSink& progress_;
  CancelSource stop_;
  VerifiedList verified_;
  std::vector<size_t> order_;
  int64_t total_bytes_ = 0;
  int64_t missing_bytes_ = 0;
  std::atomic<int64_t> done_bytes_ = 0;
  std::atomic<size_t> next_ = 0;
  Mutex reporting_;
  Mutex mutex_;
  Status first_error_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace

StatusOr<std::vector<FileEntry>> DownloadFiles(
    Repository& repository, const std::vector<FileEntry>& files, const fs::path& folder,
    const DownloadOptions& options, const ProgressSink& progress, const CancelToken& cancel) {
  LLMD_RETURN_IF_ERROR(cancel.Check());
  return Download(repository, files, folder, options, progress, cancel).Run(cancel);
}

}  // namespace llmd::hub
