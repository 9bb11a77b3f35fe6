// FakeRegistry: a Registry in memory, under the same contract test as the one in SQLite, plus
// failures on request. Thread-safe.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "registry/registry.h"

namespace llmd::testing {

class FakeRegistry final : public registry::Registry {
 public:
  // The next `calls` writes fail so and change nothing.
  void FailWrites(int calls, Status status) {
    MutexLock lock(mutex_);
    failing_ = calls;
    failure_ = std::move(status);
  }

  Status PutModel(const ModelRecord& model) override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    for (const auto& [name, other] : models_) {
      if (name != model.name && other.folder_name == model.folder_name) {
        return MakeStatus(StatusCode::kAlreadyExists, "the folder has a model",
                          {.code = "folder_taken", .next_step = ""});
      }
    }
    aliases_.erase(model.name);
    models_[model.name] = model;
    models_[model.name].aliases.clear();
    return OkStatus();
  }
  StatusOr<ModelRecord> GetModel(std::string_view name) override {
    MutexLock lock(mutex_);
    const auto at = models_.find(std::string(name));
    if (at == models_.end()) return NoModel();
    return WithAliases(at->second);
  }
  StatusOr<std::vector<ModelRecord>> ListModels() override {
    MutexLock lock(mutex_);
    std::vector<ModelRecord> list;
    for (const auto& [name, model] : models_) list.push_back(WithAliases(model));
    return list;
  }
  Status RemoveModel(std::string_view name) override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    models_.erase(std::string(name));
    std::erase_if(aliases_, [name](const auto& alias) { return alias.second == name; });
    return OkStatus();
  }
  Status SetAlias(std::string_view alias, std::string_view model) override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    const std::string key(alias);
    const auto owner = aliases_.find(key);
    if (models_.contains(key) || (owner != aliases_.end() && owner->second != model)) {
      return MakeStatus(StatusCode::kAlreadyExists, "the alias is taken",
                        {.code = "alias_taken", .next_step = ""});
    }
    if (!models_.contains(std::string(model))) return NoModel();
    aliases_[key] = model;
    return OkStatus();
  }
  Status RemoveAlias(std::string_view alias) override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    aliases_.erase(std::string(alias));
    return OkStatus();
  }

  StatusOr<int64_t> BeginEpoch() override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    return ++epoch_;
  }
  StatusOr<JobRecord> InsertJob(const JobRecord& job) override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    for (const Stored& other : jobs_) {
      if (!job.idempotency_key.empty() && !IsTerminal(other.job.state) &&
          other.job.idempotency_key == job.idempotency_key) {
        return other.job;
      }
    }
    Stored& stored = jobs_.emplace_back(Stored{.job = job});
    stored.job.state = JobState::kQueued;
    AddEvent(stored, job.created_at, "state", "queued");
    const JobRecord added = stored.job;
    Prune();
    return added;
  }
  StatusOr<JobEventRecord> TransitionJob(const JobRecord& job, JobState from,
                                         std::string_view message) override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    if (!MayFollow(from, job.state)) return FailedPrecondition("no such transition");
    Stored* stored = Find(job.id);
    if (stored == nullptr) return NoJob();
    if (stored->job.state != from || job.owner_epoch != epoch_) return MovedOn();
    JobRecord& kept = stored->job;
    kept.state = job.state;
    kept.step = job.step;
    kept.attempt = job.attempt;
    kept.crashes = job.crashes;
    kept.owner_epoch = job.owner_epoch;
    kept.error = job.error;
    kept.updated_at = job.updated_at;
    return AddEvent(*stored, job.updated_at, "state", message);
  }
  StatusOr<JobEventRecord> AppendJobEvent(const JobRecord& job, std::string_view type,
                                          std::string_view message) override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    Stored* stored = Find(job.id);
    if (stored == nullptr) return NoJob();
    const JobState state = stored->job.state;
    const bool runs = state == JobState::kRunning || state == JobState::kCancelling;
    if (!runs || job.owner_epoch != epoch_ || stored->job.owner_epoch != epoch_) return MovedOn();
    stored->job.step = job.step;
    stored->job.updated_at = job.updated_at;
    return AddEvent(*stored, job.updated_at, type, message);
  }
  StatusOr<JobRecord> GetJob(std::string_view id) override {
    MutexLock lock(mutex_);
    const Stored* stored = Find(id);
    if (stored == nullptr) return NoJob();
    return stored->job;
  }
  StatusOr<std::vector<JobRecord>> ListJobs(bool active_only) override {
    MutexLock lock(mutex_);
    std::vector<JobRecord> list;
    for (auto stored = jobs_.rbegin(); stored != jobs_.rend(); ++stored) {
      if (!active_only || !IsTerminal(stored->job.state)) list.push_back(stored->job);
    }
    return list;
  }
  StatusOr<std::vector<JobEventRecord>> ListJobEvents(std::string_view id,
                                                      int64_t after_sequence) override {
    MutexLock lock(mutex_);
    const Stored* stored = Find(id);
    if (stored == nullptr) return NoJob();
    std::vector<JobEventRecord> list;
    for (const JobEventRecord& event : stored->events) {
      if (event.sequence > after_sequence) list.push_back(event);
    }
    return list;
  }

  Status PutServer(const ServerRecord& server) override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    ServerRecord& kept = servers_[server.folder_name] = server;
    kept.in_flight = 0;
    kept.memory_bytes = 0;
    return OkStatus();
  }
  Status RemoveServer(std::string_view folder_name) override {
    MutexLock lock(mutex_);
    LLMD_RETURN_IF_ERROR(Failure());
    servers_.erase(std::string(folder_name));
    return OkStatus();
  }
  StatusOr<std::vector<ServerRecord>> ListServers() override {
    MutexLock lock(mutex_);
    std::vector<ServerRecord> list;
    for (const auto& [folder, server] : servers_) list.push_back(server);
    return list;
  }

 private:
  struct Stored {
    JobRecord job;
    std::vector<JobEventRecord> events;
  };

  static Status NoModel() {
    return MakeStatus(StatusCode::kNotFound, "no such model",
                      {.code = "model_not_found", .next_step = ""});
  }
  static Status NoJob() {
    return MakeStatus(StatusCode::kNotFound, "no such job",
                      {.code = "job_not_found", .next_step = ""});
  }
  static Status MovedOn() {
    return MakeStatus(StatusCode::kFailedPrecondition, "the job has moved on",
                      {.code = "job_moved_on", .next_step = ""});
  }

  Status Failure() LLMD_REQUIRES(mutex_) { return failing_-- > 0 ? failure_ : OkStatus(); }
  Stored* Find(std::string_view id) LLMD_REQUIRES(mutex_) {
    const auto at = std::find_if(jobs_.begin(), jobs_.end(),
                                 [id](const Stored& stored) { return stored.job.id == id; });
    return at == jobs_.end() ? nullptr : &*at;
  }
  static JobEventRecord AddEvent(Stored& stored, WallTime time, std::string_view type,
                                 std::string_view message) {
    stored.events.push_back({.sequence = static_cast<int64_t>(stored.events.size()) + 1,
                             .time = time,
                             .type = std::string(type),
                             .message = std::string(message),
                             .job = stored.job});
    return stored.events.back();
  }
  void Prune() LLMD_REQUIRES(mutex_) {
    size_t ended = 0;
    for (auto stored = jobs_.rbegin(); stored != jobs_.rend(); ++stored) {
      if (IsTerminal(stored->job.state) && ++ended > 1000) stored->job.id.clear();
    }
    std::erase_if(jobs_, [](const Stored& stored) { return stored.job.id.empty(); });
  }
  ModelRecord WithAliases(ModelRecord model) LLMD_REQUIRES(mutex_) {
    for (const auto& [alias, name] : aliases_) {
      if (name == model.name) model.aliases.push_back(alias);
    }
    return model;
  }

  Mutex mutex_;
  int failing_ LLMD_GUARDED_BY(mutex_) = 0;
  Status failure_ LLMD_GUARDED_BY(mutex_);
  int64_t epoch_ LLMD_GUARDED_BY(mutex_) = 0;
  std::map<std::string, ModelRecord> models_ LLMD_GUARDED_BY(mutex_);
  std::map<std::string, std::string> aliases_ LLMD_GUARDED_BY(mutex_);
  std::vector<Stored> jobs_ LLMD_GUARDED_BY(mutex_);
  std::map<std::string, ServerRecord> servers_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::testing
