// The workers' half of DurableJobPool: taking jobs up, running them, recording how they end.
#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "base/logging.h"
#include "domain/names.h"
#include "jobs/durable_job_pool.h"

namespace llmd::jobs {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(200);
constexpr auto kFirstRetry = std::chrono::milliseconds(100);
constexpr auto kLongestRetry = std::chrono::seconds(30);
constexpr int kMaxLogLines = 2000;  // of one attempt
constexpr size_t kMaxLogLine = 4000;

Status NoRunner(const JobRecord& job) {
  return MakeStatus(StatusCode::kUnimplemented,
                    fmt::format("this llmd does not know jobs of the kind '{}'", job.kind),
                    {.code = "unknown_job_kind", .next_step = "Run the llmd that made the job."});
}

}  // namespace

// What the runner sees; lives on the worker's stack.
class DurableJobPool::Context final : public JobContext {
 public:
  Context(DurableJobPool& pool, Attempt& attempt, JobRecord job, HubCredentials credentials)
      : pool_(pool),
        attempt_(attempt),
        job_(std::move(job)),
        credentials_(std::move(credentials)),
        cancel_(attempt.cancel.token()) {}

  const JobRecord& job() const override { return job_; }
  const HubCredentials& credentials() const override { return credentials_; }
  const CancelToken& cancel() const override { return cancel_; }
  bool CancelRequested() const override { return pool_.CancelAsked(attempt_); }

  Status BeginStep(std::string_view step) override {
    job_.step = step;
    return pool_.Append(attempt_, job_, "step", step).status();
  }

  void AddLog(std::string_view line) override {
    if (++lines_ > kMaxLogLines) return;
    if (lines_ == kMaxLogLines) line = "(more lines are not kept here)";
    const auto event =
        pool_.Append(attempt_, job_, "log", SanitizeForTerminal(line.substr(0, kMaxLogLine)));
    if (event.ok()) return;
    Log("jobs").Warn("a line of a job's log was lost",
                     {{"job", job_.id}, {"why", Message(event.status())}});
  }

  void SetProgress(const Progress& progress) override { pool_.SetProgress(attempt_, progress); }

 private:
  DurableJobPool& pool_;
  Attempt& attempt_;
  JobRecord job_;
  const HubCredentials credentials_;
  const CancelToken cancel_;
  int lines_ = 0;
};

void DurableJobPool::WorkLoop() {
  while (const std::optional<Waiting> next = TakeNext()) Work(*next);
}

std::optional<DurableJobPool::Waiting> DurableJobPool::TakeNext() {
  MutexLock lock(mutex_);
  for (;;) {
    if (stopping_) return std::nullopt;
    for (auto one = queue_.begin(); one != queue_.end(); ++one) {
      if (busy_subjects_.contains(one->subject)) continue;
      Waiting next = std::move(*one);
      queue_.erase(one);
      if (!next.subject.empty()) busy_subjects_.insert(next.subject);
      return next;
    }
    wake_.Wait(mutex_);
  }
}

void DurableJobPool::Work(const Waiting& next) {
  const auto begun = Persist([&] { return Begin(next.id); });
  if (!begun.ok()) {
    Log("jobs").Error("cannot begin a job", {{"job", next.id}, {"why", Message(begun.status())}});
  } else if (*begun != nullptr) {
    JobRecord job;
    {
      MutexLock lock(mutex_);
      job = (*begun)->latest;
    }
    End(**begun, Run(**begun, std::move(job)));
  }
  Forget(next);
}

StatusOr<std::shared_ptr<Attempt>> DurableJobPool::Begin(const std::string& id) {
  std::shared_ptr<Attempt> attempt;
  {
    MutexLock order(commit_mutex_);
    LLMD_ASSIGN_OR_RETURN(JobRecord job, registry_.GetJob(id));
    if (IsTerminal(job.state)) return attempt;
    const JobState from = job.state;
    const bool cancelling = from == JobState::kCancelling;
    ++job.attempt;
    job.owner_epoch = epoch_;
    job.updated_at = clock_.Now();
    job.state = cancelling ? from : JobState::kRunning;
    if (cancelling) ++job.crashes;
    LLMD_ASSIGN_OR_RETURN(
        const JobEventRecord event,
        registry_.TransitionJob(job, from,
                                cancelling ? "the cancellation goes on"
                                           : fmt::format("attempt {} begins", job.attempt)));
    attempt = std::make_shared<Attempt>(stop_.token());
    {
      MutexLock lock(mutex_);
      attempt->cancel_asked = cancelling;
      active_[id] = attempt;
    }
    Announce(event);
  }
  outbox_.Flush();
  return attempt;
}

Status DurableJobPool::Run(Attempt& attempt, JobRecord job) {
  const auto runner = runners_.find(job.kind);
  if (runner == runners_.end()) return NoRunner(job);
  HubCredentials credentials;
  {
    MutexLock lock(mutex_);
    if (const auto at = credentials_.find(job.id); at != credentials_.end()) {
      credentials = at->second;
    }
  }
  if (CancelAsked(attempt)) attempt.cancel.Cancel();
  Log("jobs").Info("job begins", {{"job", job.id},
                                  {"kind", job.kind},
                                  {"subject", job.subject},
                                  {"attempt", std::to_string(job.attempt)}});
  Context context(*this, attempt, std::move(job), std::move(credentials));
  try {
    return runner->second(context);
  } catch (const std::exception& error) {
    return Internal("the job threw an exception: {}", error.what());
  } catch (...) {
    return Internal("the job threw an exception");
  }
}

void DurableJobPool::End(Attempt& attempt, const Status& status) {
  const EventOr event = Persist([&] { return RecordEnd(attempt, status); });
  if (!event.ok()) {
    Log("jobs").Error("cannot record how a job ended; it will run again",
                      {{"status", status.ToString()}, {"why", Message(event.status())}});
    return;
  }
  const JobRecord& job = event->job;
  Log("jobs").Info("job ends", {{"job", job.id},
                                {"kind", job.kind},
                                {"subject", job.subject},
                                {"state", std::string(ToString(job.state))},
                                {"error", job.error ? job.error->message : ""}});
}

DurableJobPool::EventOr DurableJobPool::RecordEnd(Attempt& attempt, const Status& status) {
  EventOr event;
  {
    MutexLock order(commit_mutex_);
    JobRecord job;
    bool asked = false;
    bool stopping = false;
    {
      MutexLock lock(mutex_);
      job = attempt.latest;
      asked = attempt.cancel_asked;
      stopping = stopping_;
    }
    const JobState from = asked ? JobState::kCancelling : JobState::kRunning;
    std::string message;
    if (status.ok()) {
      job.state = JobState::kSucceeded;
    } else if (asked && (status.code() == StatusCode::kCancelled || stopping)) {
      job.state = JobState::kCancelled;
    } else if (stopping && !asked) {
      job.state = JobState::kQueued;
      message = "queued again: llmd stops";
    } else {
      job.state = JobState::kFailed;
      job.error = ToErrorRecord(status);
      message = job.error->message;
    }
    if (message.empty()) message = ToString(job.state);
    job.owner_epoch = epoch_;
    job.updated_at = clock_.Now();
    event = registry_.TransitionJob(job, from, message);
    if (!event.ok()) return event;
    Announce(*event);
  }
  if (IsTerminal(event->job.state)) {
    metrics_.Count(metric::kJobs,
                   {{"kind", event->job.kind}, {"state", std::string(ToString(event->job.state))}});
  }
  outbox_.Flush();
  return event;
}

void DurableJobPool::Forget(const Waiting& next) {
  MutexLock lock(mutex_);
  active_.erase(next.id);
  credentials_.erase(next.id);
  busy_subjects_.erase(next.subject);
  wake_.NotifyAll();
}

template <typename Commit>
auto DurableJobPool::Persist(Commit commit) -> decltype(commit()) {
  Duration wait = kFirstRetry;
  for (;;) {
    auto result = commit();
    const StatusCode code = result.status().code();
    const bool final = result.ok() || code == StatusCode::kFailedPrecondition ||
                       code == StatusCode::kNotFound || code == StatusCode::kDataLoss;
    if (final || stop_.token().IsCancelled()) return result;
    Log("jobs").Warn("the registry cannot be written; trying again",
                     {{"why", Message(result.status())}});
    stop_.token().WaitFor(wait);
    wait = std::min<Duration>(wait * 2, kLongestRetry);
  }
}

void DurableJobPool::Announce(const JobEventRecord& event) {
  MutexLock lock(mutex_);
  JobEventRecord shown = event;
  if (const auto at = active_.find(event.job.id); at != active_.end()) {
    at->second->latest = event.job;
  }
  FillProgress(shown.job);
  outbox_.Add(std::move(shown));
}

DurableJobPool::EventOr DurableJobPool::Append(Attempt& attempt, const JobRecord& job,
                                               std::string_view type, std::string_view message) {
  EventOr event;
  {
    MutexLock order(commit_mutex_);
    JobRecord now;
    {
      MutexLock lock(mutex_);
      now = attempt.latest;
    }
    now.step = job.step;
    now.updated_at = clock_.Now();
    event = registry_.AppendJobEvent(now, type, message);
    if (!event.ok()) return event;
    Announce(*event);
  }
  outbox_.Flush();
  return event;
}

void DurableJobPool::SetProgress(Attempt& attempt, const Progress& progress) {
  {
    MutexLock lock(mutex_);
    const SteadyTime now = clock_.Steady();
    const bool complete = progress.bytes_total > 0 && progress.bytes_done == progress.bytes_total;
    const bool changed = progress.bytes_done != attempt.meter.last().bytes_done;
    attempt.meter.Update(progress, now);
    const bool due = !attempt.progress_shown ||
                     now - *attempt.progress_shown >= kProgressInterval || (complete && changed);
    if (!due) return;
    attempt.progress_shown = now;
    JobEventRecord event{.time = clock_.Now(), .type = "progress", .job = attempt.latest};
    FillProgress(event.job);
    outbox_.Add(std::move(event));
  }
  outbox_.Flush();
}

bool DurableJobPool::CancelAsked(const Attempt& attempt) {
  MutexLock lock(mutex_);
  return attempt.cancel_asked;
}

void DurableJobPool::FillProgress(JobRecord& job) {
  if (job.state == JobState::kSucceeded) job.progress = 1;
  const auto at = active_.find(job.id);
  if (at == active_.end()) return;
  const ProgressMeter& meter = at->second->meter;
  job.bytes_done = meter.last().bytes_done;
  job.bytes_total = meter.last().bytes_total;
  if (IsTerminal(job.state)) return;
  job.progress = meter.Share();
  job.eta_seconds = meter.SecondsLeft();
}

}  // namespace llmd::jobs
