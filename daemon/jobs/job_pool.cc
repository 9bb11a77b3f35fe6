#include "jobs/job_pool.h"

#include <utility>

#include "base/hash.h"
#include "base/logging.h"
#include "jobs/durable_job_pool.h"

namespace llmd::jobs {
namespace {

// A job that has taken the daemon with it so often is not tried again.
constexpr int kMaxCrashes = 5;

Status JobEnded(const JobRecord& job) {
  return MakeStatus(StatusCode::kFailedPrecondition,
                    fmt::format("job {} has {} already", job.id, ToString(job.state)),
                    {.code = "job_ended", .next_step = ""});
}

Status ShuttingDown() {
  return MakeStatus(StatusCode::kUnavailable, "llmd is shutting down",
                    {.code = "shutting_down", .next_step = "Try again when it runs."});
}

Status Starting() {
  return MakeStatus(StatusCode::kUnavailable, "llmd is starting",
                    {.code = "starting", .next_step = "Try again in a moment."});
}

ErrorRecord CrashedRepeatedly(const JobRecord& job) {
  return {.code = "job_crashed_repeatedly",
          .message = fmt::format("llmd ended {} times while this job ran (last step: {})",
                                 job.crashes, job.step.empty() ? "none" : job.step),
          .next_step = "Look for the cause in logs/llmd.log, then start it anew."};
}

void LogCutOff(const JobRecord& job) {
  const Log log("jobs");
  if (job.error) {
    log.Error("job given up", {{"job", job.id}, {"kind", job.kind}, {"why", job.error->message}});
  } else {
    log.Info("job goes on", {{"job", job.id}, {"kind", job.kind}, {"subject", job.subject}});
  }
}

}  // namespace

Status DurableJobPool::Start(std::map<std::string, JobRunner> runners) {
  {
    MutexLock order(commit_mutex_);
    runners_ = std::move(runners);
    LLMD_ASSIGN_OR_RETURN(epoch_, registry_.BeginEpoch());
    LLMD_ASSIGN_OR_RETURN(const std::vector<JobRecord> left, registry_.ListJobs(true));
    {
      // What was submitted early is among them.
      MutexLock lock(mutex_);
      queue_.clear();
    }
    for (auto job = left.rbegin(); job != left.rend(); ++job) {
      LLMD_RETURN_IF_ERROR(TakeOver(*job));
    }
  }
  outbox_.Flush();
  for (int i = 0; i < options_.workers; ++i) {
    workers_.emplace_back(fmt::format("job-{}", i), [this] { WorkLoop(); });
  }
  return OkStatus();
}

Status DurableJobPool::TakeOver(const JobRecord& left) {
  JobRecord job = left;
  job.owner_epoch = epoch_;
  job.updated_at = clock_.Now();
  if (left.state != JobState::kQueued) ++job.crashes;
  std::string message = "queued again: llmd ended while the job ran";
  if (job.crashes >= kMaxCrashes && left.state != JobState::kQueued) {
    job.state = JobState::kFailed;
    job.error = CrashedRepeatedly(job);
    message = job.error->message;
  } else if (left.state == JobState::kRunning) {
    job.state = JobState::kQueued;
  }
  // One that was being cancelled is moved when a worker takes it up: it has to clean up.
  if (job.state != left.state) {
    LLMD_ASSIGN_OR_RETURN(const JobEventRecord event,
                          registry_.TransitionJob(job, left.state, message));
    LogCutOff(job);
    if (IsTerminal(job.state)) {
      metrics_.Count(metric::kJobs, {{"kind", job.kind}, {"state", "failed"}});
    }
    Announce(event);
  }
  MutexLock lock(mutex_);
  if (!IsTerminal(job.state)) queue_.push_back({.id = job.id, .subject = job.subject});
  return OkStatus();
}

void DurableJobPool::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  stop_.Cancel();
  workers_.clear();
  outbox_.Flush();
}

StatusOr<JobRecord> DurableJobPool::Submit(const JobRequest& request) {
  const WallTime now = clock_.Now();
  const JobRecord job{.id = RandomHex(6),
                      .kind = request.kind,
                      .idempotency_key = request.idempotency_key,
                      .subject = request.subject,
                      .payload = request.payload,
                      .created_at = now,
                      .updated_at = now};
  StatusOr<JobRecord> stored;
  {
    MutexLock order(commit_mutex_);
    {
      MutexLock lock(mutex_);
      if (stopping_) return ShuttingDown();
    }
    stored = registry_.InsertJob(job);
    if (!stored.ok()) return stored;
    const bool joined = stored->id != job.id;
    {
      MutexLock lock(mutex_);
      credentials_.try_emplace(stored->id, request.credentials);
      if (joined) FillProgress(*stored);
      if (!joined) queue_.push_back({.id = job.id, .subject = job.subject});
    }
    if (joined) return stored;
    Announce({.sequence = 1, .time = now, .type = "state", .message = "queued", .job = *stored});
    wake_.NotifyAll();
  }
  outbox_.Flush();
  return stored;
}

StatusOr<JobRecord> DurableJobPool::Cancel(std::string_view id) {
  std::shared_ptr<Attempt> running;
  StatusOr<JobRecord> job;
  {
    MutexLock order(commit_mutex_);
    job = CancelLocked(id, running);
  }
  outbox_.Flush();
  if (running) running->cancel.Cancel();
  return job;
}

StatusOr<JobRecord> DurableJobPool::CancelLocked(std::string_view id,
                                                 std::shared_ptr<Attempt>& running) {
  LLMD_ASSIGN_OR_RETURN(JobRecord job, registry_.GetJob(id));
  if (epoch_ == 0) return Starting();
  if (job.state == JobState::kSucceeded || job.state == JobState::kFailed) return JobEnded(job);
  if (job.state == JobState::kCancelling || job.state == JobState::kCancelled) return job;
  const JobState from = job.state;
  {
    MutexLock lock(mutex_);
    const auto at = active_.find(id);
    if (from == JobState::kRunning && at == active_.end()) return ShuttingDown();
    if (at != active_.end()) running = at->second;
  }
  job.owner_epoch = epoch_;
  job.updated_at = clock_.Now();
  job.state = from == JobState::kRunning ? JobState::kCancelling : JobState::kCancelled;
  StatusOr<JobEventRecord> event = registry_.TransitionJob(
      job, from, running ? "cancellation was asked for" : "cancelled before it began");
  if (!event.ok()) {
    running.reset();
    return event.status();
  }
  {
    MutexLock lock(mutex_);
    if (running) running->cancel_asked = true;
    if (!running) std::erase_if(queue_, [id](const Waiting& one) { return one.id == id; });
    if (!running) credentials_.erase(job.id);
  }
  Announce(*event);
  if (!running) metrics_.Count(metric::kJobs, {{"kind", job.kind}, {"state", "cancelled"}});
  return event->job;
}

StatusOr<JobRecord> DurableJobPool::Get(std::string_view id) {
  LLMD_ASSIGN_OR_RETURN(JobRecord job, registry_.GetJob(id));
  MutexLock lock(mutex_);
  FillProgress(job);
  return job;
}

StatusOr<std::vector<JobRecord>> DurableJobPool::List(bool active_only) {
  LLMD_ASSIGN_OR_RETURN(std::vector<JobRecord> jobs, registry_.ListJobs(active_only));
  MutexLock lock(mutex_);
  for (JobRecord& job : jobs) FillProgress(job);
  return jobs;
}

StatusOr<std::vector<JobEventRecord>> DurableJobPool::Events(std::string_view id,
                                                             int64_t after_sequence) {
  return registry_.ListJobEvents(id, after_sequence);
}

std::unique_ptr<JobPool> MakeJobPool(registry::Registry& registry, EventStream& events,
                                     const Clock& clock, Metrics& metrics,
                                     const JobPoolOptions& options) {
  return std::make_unique<DurableJobPool>(registry, events, clock, metrics, options);
}

}  // namespace llmd::jobs
