// Registry: what the daemon remembers, in SQLite (WAL, synchronous=FULL). Models can be rebuilt
// from the model folders, servers from run/servers; jobs live only here. Thread-safe: one writer at
// a time behind a mutex. Never call it from an io thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "domain/states.h"

namespace llmd::registry {

class Registry {
 public:
  virtual ~Registry() = default;

  // Models. Names are unique, and so are folder names.
  // Inserts or replaces by name; its aliases stay, an alias of that name that another model had
  // goes. kAlreadyExists (code "folder_taken") when another model has the folder.
  virtual Status PutModel(const ModelRecord& model) = 0;
  virtual StatusOr<ModelRecord> GetModel(std::string_view name) = 0;
  virtual StatusOr<std::vector<ModelRecord>> ListModels() = 0;  // sorted by name
  virtual Status RemoveModel(std::string_view name) = 0;        // aliases go with it
  // kAlreadyExists when the alias is a model's name or another model's alias.
  virtual Status SetAlias(std::string_view alias, std::string_view model) = 0;
  virtual Status RemoveAlias(std::string_view alias) = 0;

  // Jobs. Every transition writes its event in the same transaction. The last 1,000 jobs that have
  // ended are kept. In the records given to these calls, `updated_at` is the event's time.
  // The next owner epoch: called once at start. The later calls below want it as job.owner_epoch:
  // writes by workers of an earlier epoch change nothing.
  virtual StatusOr<int64_t> BeginEpoch() = 0;
  // Inserts a queued job with its first event; when a job that has not ended carries the same
  // non-empty idempotency key, that one is returned instead.
  virtual StatusOr<JobRecord> InsertJob(const JobRecord& job) = 0;
  // Moves a job from `from` to job.state (and step, error, attempt, crashes, epoch) if it is still
  // in `from`, MayFollow allows it and job.owner_epoch is the present one; kFailedPrecondition
  // otherwise. Returns the stored event.
  virtual StatusOr<JobEventRecord> TransitionJob(const JobRecord& job, JobState from,
                                                 std::string_view message) = 0;
  // Appends a step or log event to a job that runs (or is cancelling) in this epoch; job.step
  // becomes its step.
  virtual StatusOr<JobEventRecord> AppendJobEvent(const JobRecord& job, std::string_view type,
                                                  std::string_view message) = 0;
  virtual StatusOr<JobRecord> GetJob(std::string_view id) = 0;
  virtual StatusOr<std::vector<JobRecord>> ListJobs(bool active_only) = 0;  // newest first
  virtual StatusOr<std::vector<JobEventRecord>> ListJobEvents(std::string_view id,
                                                              int64_t after_sequence) = 0;

  // Servers that should be adopted after a restart (by folder name).
  virtual Status PutServer(const ServerRecord& server) = 0;
  virtual Status RemoveServer(std::string_view folder_name) = 0;
  virtual StatusOr<std::vector<ServerRecord>> ListServers() = 0;
};

// Opens (creates, checks, migrates) the database file. A newer schema is refused
// (kFailedPrecondition, code "registry_too_new"); a damaged file is moved aside as
// <path>.damaged-<time> and a new one begun (`*rebuilt` = true).
StatusOr<std::unique_ptr<Registry>> OpenSqliteRegistry(const std::string& path, bool* rebuilt);

}  // namespace llmd::registry
