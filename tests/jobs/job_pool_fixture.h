// A job pool over a registry that outlives it, and what its watchers heard.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "jobs/job_pool.h"
#include "support/fakes/fake_clock.h"
#include "support/fakes/fake_registry.h"
#include "support/gate.h"

namespace llmd::jobs {

using testing::Gate;

class JobPoolFixture : public ::testing::Test {
 protected:
  JobPoolFixture() {
    subscription_ = events_.Subscribe([this](const Event& event) {
      MutexLock lock(mutex_);
      heard_.push_back(std::get<JobChanged>(event).event);
      changed_.NotifyAll();
    });
  }
  ~JobPoolFixture() override { pool_.reset(); }

  // A new daemon over the same registry.
  void Start(JobRunner runner, int workers = 2) { Start({{"test", std::move(runner)}}, workers); }
  void Start(std::map<std::string, JobRunner> runners, int workers = 2) {
    pool_ = MakeJobPool(*registry_, events_, clock_, metrics_, {.workers = workers});
    const Status status = pool_->Start(std::move(runners));
    ASSERT_TRUE(status.ok()) << status;
  }
  JobRecord Submit(const std::string& subject, const std::string& key = "") {
    const auto job = pool_->Submit({.kind = "test", .subject = subject, .idempotency_key = key});
    EXPECT_TRUE(job.ok()) << job.status();
    return job.value_or(JobRecord{});
  }
  // Puts a job into the registry as a daemon that was killed would have left it.
  void Leave(const std::string& id, JobState state, int crashes = 0, std::string kind = "test") {
    const int64_t epoch = *registry_->BeginEpoch();
    JobRecord job = *registry_->InsertJob({.id = id, .kind = std::move(kind), .subject = id});
    job.owner_epoch = epoch;
    job.crashes = crashes;
    job.attempt = crashes;
    if (state == JobState::kQueued) return;
    job.state = JobState::kRunning;
    ++job.attempt;
    ASSERT_TRUE(registry_->TransitionJob(job, JobState::kQueued, "begins").ok());
    if (state == JobState::kRunning) return;
    job.state = state;
    ASSERT_TRUE(registry_->TransitionJob(job, JobState::kRunning, "asked").ok());
  }
  // Waits until a watcher has heard something of the job that fits.
  JobEventRecord WaitFor(const std::string& id,
                         const std::function<bool(const JobEventRecord&)>& fits) {
    MutexLock lock(mutex_);
    for (size_t i = 0;; ++i) {
      while (i >= heard_.size()) changed_.Wait(mutex_);
      if (heard_[i].job.id == id && fits(heard_[i])) return heard_[i];
    }
  }
  JobRecord WaitForEnd(const std::string& id) {
    return WaitFor(id, [](const auto& event) { return IsTerminal(event.job.state); }).job;
  }
  JobEventRecord WaitForState(const std::string& id, JobState state) {
    return WaitFor(id, [state](const auto& event) { return event.job.state == state; });
  }
  std::vector<JobEventRecord> Heard(const std::string& id) {
    MutexLock lock(mutex_);
    std::vector<JobEventRecord> list;
    for (const JobEventRecord& event : heard_) {
      if (event.job.id == id) list.push_back(event);
    }
    return list;
  }
  // The states that the stored events tell, in order, without repetitions.
  std::string History(const std::string& id) {
    std::string text;
    const auto events = registry_->ListJobEvents(id, 0);
    std::string last;
    for (const JobEventRecord& event : *events) {
      const std::string state(ToString(event.job.state));
      if (state != std::exchange(last, state)) text += (text.empty() ? "" : " ") + state;
    }
    return text;
  }

  static void WaitForCancel(JobContext& context) {
    Gate gate;
    const CancelRegistration registration = context.cancel().OnCancel([&gate] { gate.Open(); });
    gate.Wait();
  }
  // A runner that does nothing until it is cancelled.
  static Status UntilCancelled(JobContext& context) {
    WaitForCancel(context);
    return Cancelled();
  }

  testing::FakeClock clock_;
  Metrics metrics_;
  EventStream events_;
  std::unique_ptr<registry::Registry> registry_ = std::make_unique<testing::FakeRegistry>();
  std::unique_ptr<JobPool> pool_;
  EventStream::Subscription subscription_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<JobEventRecord> heard_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::jobs
