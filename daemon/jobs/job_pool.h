// JobPool: durable long work on a few worker threads. A job whose id was returned survives SIGKILL:
// it is run again by the next daemon, with the attempt counted up. Jobs begin in the order of their
// submission, two of one subject never run at once. The pool knows no kind of job: the composition
// root registers a runner for each. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "domain/caller.h"
#include "domain/event.h"
#include "domain/progress.h"
#include "domain/states.h"
#include "registry/registry.h"

namespace llmd::jobs {

// What a runner sees of its job. Used on the worker's thread (Progress from any).
class JobContext {
 public:
  virtual ~JobContext() = default;
  virtual const JobRecord& job() const = 0;
  // Credentials given with the request; empty after a daemon restart.
  virtual const HubCredentials& credentials() const = 0;
  // Fires when a user cancels the job and when the daemon shuts down.
  virtual const CancelToken& cancel() const = 0;
  // True when a user asked; false for a shutdown, after which the job goes on later.
  virtual bool CancelRequested() const = 0;
  // Durable: the job is now at this step.
  virtual Status BeginStep(std::string_view step) = 0;
  // Durable line of the job's log; the first 2,000 of an attempt are kept.
  virtual void AddLog(std::string_view line) = 0;
  // Last value only; rate and time left are worked out here.
  virtual void SetProgress(const Progress& progress) = 0;
};

// Runs one attempt. OK = succeeded; kCancelled after a user's cancel = cancelled; an error after a
// shutdown's cancel = queued for the next daemon; else failed. May be called with a token that has
// fired already: when a daemon died while it cancelled the job, the next one lets it clean up.
using JobRunner = std::function<Status(JobContext& context)>;

struct JobRequest {
  std::string kind;
  std::string subject;
  std::string idempotency_key;
  std::string payload;         // JSON, never a secret
  HubCredentials credentials;  // memory only
};

class JobPool {
 public:
  virtual ~JobPool() = default;

  // Registers all runners, requeues what an earlier daemon left running, starts `workers` threads.
  // A job that has taken five daemons with it fails with code "job_crashed_repeatedly", one of an
  // unregistered kind with "unknown_job_kind". Called once.
  virtual Status Start(std::map<std::string, JobRunner> runners) = 0;
  // Cancels the workers' jobs and joins them; unfinished jobs are queued again, in the registry.
  virtual void Stop() = 0;

  // Durable before it returns. kUnavailable (code "shutting_down") after Stop.
  virtual StatusOr<JobRecord> Submit(const JobRequest& request) = 0;
  // Cancels a queued job at once, asks a running one to end; one that is cancelled already is
  // returned as it is. kNotFound (code "job_not_found"), kFailedPrecondition (code "job_ended").
  virtual StatusOr<JobRecord> Cancel(std::string_view id) = 0;
  // With the current progress filled in.
  virtual StatusOr<JobRecord> Get(std::string_view id) = 0;
  virtual StatusOr<std::vector<JobRecord>> List(bool active_only) = 0;
  virtual StatusOr<std::vector<JobEventRecord>> Events(std::string_view id,
                                                       int64_t after_sequence) = 0;
};

struct JobPoolOptions {
  int workers = 2;
};

// Publishes JobChanged events on `events`. All references must outlive the pool.
std::unique_ptr<JobPool> MakeJobPool(registry::Registry& registry, EventStream& events,
                                     const Clock& clock, Metrics& metrics,
                                     const JobPoolOptions& options);

}  // namespace llmd::jobs
