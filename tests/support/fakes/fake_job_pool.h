// A JobPool in memory: the test says what happens to a job, watchers hear of it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "domain/event.h"
#include "jobs/job_pool.h"

namespace llmd::testing {

class FakeJobPool final : public jobs::JobPool {
 public:
  explicit FakeJobPool(EventStream& events) : events_(events) {}

  // Stores the event (unless it is progress) and publishes it, as the real pool does.
  void Tell(const std::string& id, const std::string& type, const std::string& message,
            JobState state = JobState::kRunning) {
    JobEventRecord event{.type = type, .message = message};
    {
      MutexLock lock(mutex_);
      JobRecord& job = jobs_[id];
      job.id = id;
      job.state = state;
      if (type == "step") job.step = message;
      event.job = job;
      if (type != "progress") {
        event.sequence = static_cast<int64_t>(stored_[id].size()) + 1;
        stored_[id].push_back(event);
      }
    }
    events_.Publish(JobChanged{event});
  }

  Status Start(std::map<std::string, jobs::JobRunner>) override { return OkStatus(); }
  void Stop() override {}
  StatusOr<JobRecord> Submit(const jobs::JobRequest& request) override {
    Tell(request.subject, "state", "queued", JobState::kQueued);
    return Get(request.subject);
  }
  StatusOr<JobRecord> Cancel(std::string_view id) override {
    LLMD_RETURN_IF_ERROR(Get(id).status());
    Tell(std::string(id), "state", "cancelled", JobState::kCancelled);
    return Get(id);
  }
  StatusOr<JobRecord> Get(std::string_view id) override {
    MutexLock lock(mutex_);
    const auto at = jobs_.find(std::string(id));
    if (at != jobs_.end()) return at->second;
    return MakeStatus(StatusCode::kNotFound, fmt::format("there is no job {}", id),
                      {.code = "job_not_found", .next_step = "llmctl jobs lists them."});
  }
  StatusOr<std::vector<JobRecord>> List(bool active_only) override {
    MutexLock lock(mutex_);
    std::vector<JobRecord> list;
    for (const auto& [id, job] : jobs_) {
      if (!active_only || !IsTerminal(job.state)) list.push_back(job);
    }
    return list;
  }
  StatusOr<std::vector<JobEventRecord>> Events(std::string_view id,
                                               int64_t after_sequence) override {
    MutexLock lock(mutex_);
    std::vector<JobEventRecord> list;
    for (const JobEventRecord& event : stored_[std::string(id)]) {
      if (event.sequence > after_sequence) list.push_back(event);
    }
    return list;
  }

 private:
  EventStream& events_;
  Mutex mutex_;
  std::map<std::string, JobRecord> jobs_ LLMD_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<JobEventRecord>> stored_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::testing
