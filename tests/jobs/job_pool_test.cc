#include "jobs/job_pool.h"

#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

#include "job_pool_fixture.h"

namespace llmd::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JobPoolTest : public JobPoolFixture {};

TEST_F(JobPoolTest, AJobRunsAndSucceeds) {
  JobRecord seen;
  Start([&seen](JobContext& context) {
    seen = context.job();
    return OkStatus();
  });
  const auto job = pool_->Submit({.kind = "test", .subject = "a/x", .payload = R"({"n":1})"});
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(job->state, JobState::kQueued);
  const JobRecord ended = WaitForEnd(job->id);
  EXPECT_EQ(ended.state, JobState::kSucceeded);
  EXPECT_EQ(ended.progress, 1);
  EXPECT_EQ(seen.payload, R"({"n":1})");
  EXPECT_EQ(seen.subject, "a/x");
  EXPECT_EQ(seen.attempt, 1);
  EXPECT_EQ(History(job->id), "queued running succeeded");
  EXPECT_THAT(metrics_.Render(), HasSubstr("state=\"succeeded\""));
}

TEST_F(JobPoolTest, SubmitIsDurableBeforeItReturns) {
  Start(UntilCancelled);
  const JobRecord job = Submit("a");
  EXPECT_TRUE(registry_->GetJob(job.id).ok());
}

TEST_F(JobPoolTest, WhatIsSubmittedBeforeTheStartRunsOnce) {
  pool_ = MakeJobPool(*registry_, events_, clock_, metrics_, {.workers = 4});
  const std::string id = Submit("").id;
  EXPECT_EQ(GetErrorInfo(pool_->Cancel(id).status()).code, "starting");
  std::atomic<int> runs = 0;
  ASSERT_TRUE(pool_
                  ->Start({{"test",
                            [&runs](JobContext&) {
                              ++runs;
                              return OkStatus();
                            }}})
                  .ok());
  WaitForEnd(id);
  WaitForEnd(Submit("").id);
  EXPECT_EQ(runs, 2);
}

TEST_F(JobPoolTest, AFailureKeepsItsCodeAndNextStep) {
  Start([](JobContext&) {
    return MakeStatus(StatusCode::kPermissionDenied, "the repository is gated",
                      {.code = "gated", .next_step = "Ask for access."});
  });
  const JobRecord job = WaitForEnd(Submit("a").id);
  EXPECT_EQ(job.state, JobState::kFailed);
  ASSERT_TRUE(job.error.has_value());
  EXPECT_EQ(job.error->code, "gated");
  EXPECT_EQ(job.error->message, "the repository is gated");
  EXPECT_EQ(job.error->next_step, "Ask for access.");
}

TEST_F(JobPoolTest, ARunnerThatThrowsFailsItsJobOnly) {
  Start(
      [](JobContext& context) -> Status {
        if (context.job().subject == "throws") throw std::runtime_error("boom");
        if (context.job().subject == "odd") throw 7;
        return OkStatus();
      },
      1);
  const std::string throws = Submit("throws").id;
  const std::string odd = Submit("odd").id;
  const std::string fine = Submit("fine").id;
  EXPECT_THAT(WaitForEnd(throws).error->message, HasSubstr("boom"));
  EXPECT_EQ(WaitForEnd(odd).error->code, "internal");
  EXPECT_EQ(WaitForEnd(fine).state, JobState::kSucceeded);
}

TEST_F(JobPoolTest, AnUnknownKindFailsClearly) {
  Start([](JobContext&) { return OkStatus(); });
  const auto job = pool_->Submit({.kind = "later", .subject = "a"});
  ASSERT_TRUE(job.ok());
  const JobRecord ended = WaitForEnd(job->id);
  EXPECT_EQ(ended.state, JobState::kFailed);
  EXPECT_EQ(ended.error->code, "unknown_job_kind");
  EXPECT_THAT(ended.error->message, HasSubstr("'later'"));
}

TEST_F(JobPoolTest, StepsAndLogsAreDurableEventsInOrder) {
  Start([](JobContext& context) {
    EXPECT_TRUE(context.BeginStep("resolve").ok());
    context.AddLog("a line\x1b[31m with colour");
    EXPECT_TRUE(context.BeginStep("download").ok());
    EXPECT_EQ(context.job().step, "download");
    return OkStatus();
  });
  const std::string id = Submit("a").id;
  WaitForEnd(id);
  const auto events = pool_->Events(id, 0);
  ASSERT_TRUE(events.ok());
  std::vector<std::string> told;
  for (const JobEventRecord& event : *events) {
    EXPECT_EQ(event.sequence, static_cast<int64_t>(told.size()) + 1);
    told.push_back(event.type + ": " + event.message);
  }
  EXPECT_THAT(told,
              ElementsAre("state: queued", "state: attempt 1 begins", "step: resolve",
                          "log: a line[31m with colour", "step: download", "state: succeeded"));
  EXPECT_EQ(events->back().job.step, "download");
}

TEST_F(JobPoolTest, AWatcherThatComesBackMissesNothing) {
  Gate rest;
  Start([&rest](JobContext& context) {
    context.AddLog("one");
    rest.Wait();
    context.AddLog("two");
    return OkStatus();
  });
  const std::string id = Submit("a").id;
  const int64_t last =
      WaitFor(id, [](const auto& event) { return event.message == "one"; }).sequence;
  rest.Open();
  WaitForEnd(id);
  const auto rest_of_it = pool_->Events(id, last);
  ASSERT_EQ(rest_of_it->size(), 2u);
  EXPECT_EQ(rest_of_it->front().message, "two");
  EXPECT_EQ(rest_of_it->front().sequence, last + 1);
}

TEST_F(JobPoolTest, WhatIsPublishedIsWhatIsStoredInOrder) {
  Start([](JobContext& context) {
    for (int i = 0; i < 20; ++i) context.AddLog(std::to_string(i));
    return OkStatus();
  });
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(Submit("s" + std::to_string(i)).id);
  for (const std::string& id : ids) {
    WaitForEnd(id);
    const std::vector<JobEventRecord> heard = Heard(id);
    const auto stored = pool_->Events(id, 0);
    ASSERT_EQ(heard.size(), stored->size());
    for (size_t i = 0; i < heard.size(); ++i) {
      EXPECT_EQ(heard[i].sequence, static_cast<int64_t>(i) + 1);
      EXPECT_EQ(heard[i].message, (*stored)[i].message);
      EXPECT_EQ(heard[i].job.state, (*stored)[i].job.state);
    }
  }
}

TEST_F(JobPoolTest, ALogThatNeverEndsIsCutOff) {
  Start([](JobContext& context) {
    for (int i = 0; i < 3000; ++i) context.AddLog("line");
    context.AddLog(std::string(1'000'000, 'x'));
    return OkStatus();
  });
  const std::string id = Submit("a").id;
  WaitForEnd(id);
  const auto events = pool_->Events(id, 0);
  EXPECT_EQ(events->size(), 2000u + 3u);
  EXPECT_THAT((*events)[2001].message, HasSubstr("not kept"));
}

TEST_F(JobPoolTest, CredentialsReachTheRunnerAndNothingElse) {
  std::string token;
  Start([&token](JobContext& context) {
    token = context.credentials().token;
    return OkStatus();
  });
  const auto job = pool_->Submit(
      {.kind = "test", .subject = "a", .payload = "{}", .credentials = {.token = "hf_secret"}});
  WaitForEnd(job->id);
  EXPECT_EQ(token, "hf_secret");
  for (const JobEventRecord& event : Heard(job->id)) {
    EXPECT_EQ(event.message.find("hf_secret"), std::string::npos);
    EXPECT_EQ(event.job.payload, "{}");
  }
}

TEST_F(JobPoolTest, TheSameKeyIsOneJob) {
  Gate rest;
  std::atomic<int> runs = 0;
  Start([&](JobContext&) {
    ++runs;
    rest.Wait();
    return OkStatus();
  });
  std::vector<std::string> ids(20);
  std::vector<std::thread> threads;
  for (std::string& id : ids) threads.emplace_back([this, &id] { id = Submit("a", "key").id; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 1u);
  rest.Open();
  WaitForEnd(ids[0]);
  EXPECT_EQ(runs, 1);
  const std::string again = Submit("a", "key").id;
  EXPECT_NE(again, ids[0]);
  WaitForEnd(again);
}

TEST_F(JobPoolTest, JobsOfOneSubjectNeverOverlapAndKeepTheirOrder) {
  std::mutex mutex;
  std::set<std::string> running;
  std::vector<std::string> order;
  bool overlapped = false;
  Start(
      [&](JobContext& context) {
        {
          std::lock_guard lock(mutex);
          overlapped |= !running.insert(context.job().subject).second;
          order.push_back(context.job().payload);
        }
        context.AddLog("busy");
        std::lock_guard lock(mutex);
        running.erase(context.job().subject);
        return OkStatus();
      },
      4);
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) {
    ids.push_back(
        pool_->Submit({.kind = "test", .subject = "same", .payload = std::to_string(10 + i)})->id);
  }
  for (const std::string& id : ids) WaitForEnd(id);
  EXPECT_FALSE(overlapped);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(JobPoolTest, ABusySubjectDoesNotHoldUpOthers) {
  Gate first;
  Start(
      [&first](JobContext& context) {
        if (context.job().subject == "slow") first.Wait();
        return OkStatus();
      },
      2);
  const std::string slow = Submit("slow").id;
  const std::string waits = Submit("slow").id;
  const std::string quick = Submit("quick").id;
  EXPECT_EQ(WaitForEnd(quick).state, JobState::kSucceeded);
  EXPECT_EQ(pool_->Get(waits)->state, JobState::kQueued);
  first.Open();
  WaitForEnd(slow);
  WaitForEnd(waits);
}

TEST_F(JobPoolTest, ProgressIsLastValueAndNotStored) {
  Gate rest;
  Gate reported;
  Start([&](JobContext& context) {
    context.SetProgress({.bytes_done = 0, .bytes_total = 1000});
    clock_.Advance(std::chrono::seconds(2));
    context.SetProgress({.bytes_done = 500, .bytes_total = 1000});
    // Too soon after the one before to be told to watchers, but known.
    context.SetProgress({.bytes_done = 600, .bytes_total = 1000});
    reported.Open();
    rest.Wait();
    return OkStatus();
  });
  const std::string id = Submit("a").id;
  reported.Wait();
  const auto job = pool_->Get(id);
  EXPECT_EQ(job->bytes_done, 600);
  EXPECT_EQ(job->bytes_total, 1000);
  EXPECT_DOUBLE_EQ(job->progress, 0.6);
  ASSERT_TRUE(job->eta_seconds.has_value());
  EXPECT_NEAR(*job->eta_seconds, 400 / 250.0, 0.01);
  EXPECT_EQ(pool_->List(true)->front().bytes_done, 600);
  const auto shown = WaitFor(id, [](const auto& event) { return event.job.bytes_done == 500; });
  EXPECT_EQ(shown.sequence, 0);
  EXPECT_EQ(shown.type, "progress");
  rest.Open();
  WaitForEnd(id);
  int told = 0;
  for (const JobEventRecord& event : Heard(id)) told += event.type == "progress";
  EXPECT_EQ(told, 2);
  EXPECT_EQ(pool_->Events(id, 0)->size(), 3u);
}

TEST_F(JobPoolTest, AWallClockThatJumpsDisturbsNothing) {
  Start([this](JobContext& context) {
    clock_.JumpWall(-std::chrono::hours(24 * 400));
    context.AddLog("then");
    return OkStatus();
  });
  const std::string first = Submit("a").id;
  EXPECT_EQ(WaitForEnd(first).state, JobState::kSucceeded);
  const std::string second = Submit("b").id;
  WaitForEnd(second);
  EXPECT_EQ(pool_->List(false)->front().id, second);
}

TEST_F(JobPoolTest, AFullDiskDelaysTheEndButLosesNothing) {
  auto* const fake = static_cast<testing::FakeRegistry*>(registry_.get());
  Start([fake](JobContext&) {
    fake->FailWrites(2, ResourceExhausted("disk full"));
    return OkStatus();
  });
  EXPECT_EQ(WaitForEnd(Submit("a").id).state, JobState::kSucceeded);
}

TEST_F(JobPoolTest, UnknownJobsAreNotFound) {
  Start([](JobContext&) { return OkStatus(); });
  for (const Status& status :
       {pool_->Get("x").status(), pool_->Cancel("x").status(), pool_->Events("x", 0).status()}) {
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_EQ(GetErrorInfo(status).code, "job_not_found");
  }
}

}  // namespace
}  // namespace llmd::jobs
