// DurableJobPool: the JobPool over a Registry. Private to jobs/; others make it by MakeJobPool.
//
// Three locks, in this order: commit_mutex_ keeps the order of commits and of the events they make;
// mutex_ guards what is in memory and is never held while the disk is waited for; the outbox's own.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/thread.h"
#include "jobs/event_outbox.h"
#include "jobs/job_pool.h"
#include "jobs/progress_meter.h"

namespace llmd::jobs {

// One attempt at a job, on a worker. Guarded by the pool's mutex_ but for `cancel`.
struct Attempt {
  explicit Attempt(const CancelToken& shutdown) : cancel(shutdown) {}
  CancelSource cancel;
  bool cancel_asked = false;  // by a user; a shutdown only fires `cancel`
  JobRecord latest;           // as the last event left it
  ProgressMeter meter;
  std::optional<SteadyTime> progress_shown;
};

class DurableJobPool final : public JobPool {
 public:
  DurableJobPool(registry::Registry& registry, EventStream& events, const Clock& clock,
                 Metrics& metrics, const JobPoolOptions& options)
      : registry_(registry), clock_(clock), metrics_(metrics), options_(options), outbox_(events) {}
  ~DurableJobPool() override { Stop(); }

  Status Start(std::map<std::string, JobRunner> runners) override;
  void Stop() override;
  StatusOr<JobRecord> Submit(const JobRequest& request) override;
  StatusOr<JobRecord> Cancel(std::string_view id) override;
  StatusOr<JobRecord> Get(std::string_view id) override;
  StatusOr<std::vector<JobRecord>> List(bool active_only) override;
  StatusOr<std::vector<JobEventRecord>> Events(std::string_view id,
                                               int64_t after_sequence) override;

 private:
  class Context;
  struct Waiting {
    std::string id;
    std::string subject;
  };
  using EventOr = StatusOr<JobEventRecord>;

  // What an earlier daemon left of a job that has not ended.
  Status TakeOver(const JobRecord& left) LLMD_REQUIRES(commit_mutex_);
  void WorkLoop();
  // The next job whose subject is free; waits for one. Nullopt at the end.
  std::optional<Waiting> TakeNext();
  void Work(const Waiting& next);
  // The job as it runs now; nullptr when it has been cancelled meanwhile.
  StatusOr<std::shared_ptr<Attempt>> Begin(const std::string& id);
  Status Run(Attempt& attempt, JobRecord job);
  void End(Attempt& attempt, const Status& status);
  EventOr RecordEnd(Attempt& attempt, const Status& status);
  void Forget(const Waiting& next);
  // Repeats `commit` while the registry cannot write (a full disk) and nobody stops the pool.
  template <typename Commit>
  auto Persist(Commit commit) -> decltype(commit());

  // Called with the commit that made the event still locked, so that events keep its order.
  void Announce(const JobEventRecord& event) LLMD_REQUIRES(commit_mutex_);
  StatusOr<JobRecord> CancelLocked(std::string_view id, std::shared_ptr<Attempt>& running)
      LLMD_REQUIRES(commit_mutex_);
  EventOr Append(Attempt& attempt, const JobRecord& job, std::string_view type,
                 std::string_view message);
  void SetProgress(Attempt& attempt, const Progress& progress);
  bool CancelAsked(const Attempt& attempt);
  void FillProgress(JobRecord& job) LLMD_REQUIRES(mutex_);

  registry::Registry& registry_;
  const Clock& clock_;
  Metrics& metrics_;
  const JobPoolOptions options_;
  EventOutbox outbox_;
  CancelSource stop_;
  // Set by Start, before the workers exist.
  std::map<std::string, JobRunner> runners_;
  int64_t epoch_ = 0;

  Mutex commit_mutex_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ LLMD_GUARDED_BY(mutex_) = false;
  std::deque<Waiting> queue_ LLMD_GUARDED_BY(mutex_);
  std::set<std::string> busy_subjects_ LLMD_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Attempt>, std::less<>> active_ LLMD_GUARDED_BY(mutex_);
  std::map<std::string, HubCredentials, std::less<>> credentials_ LLMD_GUARDED_BY(mutex_);
  std::vector<JoiningThread> workers_;
};

}  // namespace llmd::jobs
