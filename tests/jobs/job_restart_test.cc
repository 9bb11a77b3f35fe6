// What the next daemon does with the jobs of one that was killed.
#include <gmock/gmock.h>

#include "job_pool_fixture.h"
#include "support/temp_folder.h"

namespace llmd::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JobRestartTest : public JobPoolFixture {};

TEST_F(JobRestartTest, ARunningJobRunsAgain) {
  Leave("j", JobState::kRunning);
  JobRecord seen;
  Start([&seen](JobContext& context) {
    seen = context.job();
    return OkStatus();
  });
  EXPECT_EQ(WaitForEnd("j").state, JobState::kSucceeded);
  EXPECT_EQ(seen.attempt, 2);
  EXPECT_EQ(seen.crashes, 1);
  EXPECT_EQ(History("j"), "queued running queued running succeeded");
}

TEST_F(JobRestartTest, QueuedJobsRunInTheirOrder) {
  for (const char* id : {"one", "two", "three"}) Leave(id, JobState::kQueued);
  std::vector<std::string> ran;
  Start(
      [&ran](JobContext& context) {
        ran.push_back(context.job().id);
        return OkStatus();
      },
      1);
  WaitForEnd("three");
  EXPECT_THAT(ran, ElementsAre("one", "two", "three"));
}

TEST_F(JobRestartTest, AnInterruptedCancellationIsGivenAChanceToCleanUp) {
  Leave("j", JobState::kCancelling);
  bool requested = false;
  bool fired = false;
  Start([&](JobContext& context) {
    requested = context.CancelRequested();
    fired = context.cancel().IsCancelled();
    return context.cancel().Check();
  });
  EXPECT_EQ(WaitForEnd("j").state, JobState::kCancelled);
  EXPECT_TRUE(requested);
  EXPECT_TRUE(fired);
  EXPECT_EQ(History("j"), "queued running cancelling cancelled");
}

TEST_F(JobRestartTest, APoisonJobIsGivenUpAfterFiveCrashes) {
  Leave("four", JobState::kRunning, 3);
  Leave("five", JobState::kRunning, 4);
  Leave("cancelled-five", JobState::kCancelling, 4);
  std::vector<std::string> ran;
  Start(
      [&ran](JobContext& context) {
        ran.push_back(context.job().id);
        return OkStatus();
      },
      1);
  EXPECT_EQ(WaitForEnd("four").state, JobState::kSucceeded);
  for (const char* id : {"five", "cancelled-five"}) {
    const JobRecord job = *pool_->Get(id);
    EXPECT_EQ(job.state, JobState::kFailed);
    EXPECT_EQ(job.error->code, "job_crashed_repeatedly");
    EXPECT_THAT(job.error->message, HasSubstr("5 times"));
  }
  EXPECT_THAT(ran, ElementsAre("four"));
}

TEST_F(JobRestartTest, FiveCrashesInARowEndIt) {
  Leave("j", JobState::kRunning);
  for (int crash = 1; crash < 5; ++crash) {
    // A daemon that takes the job up and dies: its worker is never heard of again.
    const int64_t epoch = *registry_->BeginEpoch();
    JobRecord job = *registry_->GetJob("j");
    job.owner_epoch = epoch;
    ++job.crashes;
    job.state = JobState::kQueued;
    ASSERT_TRUE(registry_->TransitionJob(job, JobState::kRunning, "again").ok());
    job.state = JobState::kRunning;
    ++job.attempt;
    ASSERT_TRUE(registry_->TransitionJob(job, JobState::kQueued, "begins").ok());
  }
  Start([](JobContext&) { return OkStatus(); });
  EXPECT_EQ(pool_->Get("j")->error->code, "job_crashed_repeatedly");
}

TEST_F(JobRestartTest, AKindThatIsGoneFailsClearly) {
  Leave("j", JobState::kRunning, 0, "forgotten");
  Start([](JobContext&) { return OkStatus(); });
  EXPECT_EQ(WaitForEnd("j").error->code, "unknown_job_kind");
}

TEST_F(JobRestartTest, CredentialsAreNotRemembered) {
  Start(UntilCancelled);
  const auto job =
      pool_->Submit({.kind = "test", .subject = "a", .credentials = {.token = "secret"}});
  WaitForState(job->id, JobState::kRunning);
  pool_->Stop();
  std::string token = "unset";
  Start([&token](JobContext& context) {
    token = context.credentials().token;
    return OkStatus();
  });
  WaitForEnd(job->id);
  EXPECT_EQ(token, "");
}

TEST_F(JobRestartTest, AWorkerOfAnEarlierDaemonChangesNothing) {
  // Two pools over one registry: what flock prevents, seen from the side that lost.
  Gate rest;
  Gate wrote;
  Status late;
  auto old_pool = MakeJobPool(*registry_, events_, clock_, metrics_, {.workers = 1});
  ASSERT_TRUE(old_pool
                  ->Start({{"test",
                            [&](JobContext& context) {
                              rest.Wait();
                              late = context.BeginStep("late");
                              wrote.Open();
                              return OkStatus();
                            }}})
                  .ok());
  const std::string id = old_pool->Submit({.kind = "test", .subject = "a"})->id;
  WaitForState(id, JobState::kRunning);
  Gate finish;
  Start([&finish](JobContext&) {
    finish.Wait();
    return OkStatus();
  });
  WaitFor(id, [](const auto& event) {
    return event.job.state == JobState::kRunning && event.job.attempt == 2;
  });
  rest.Open();
  wrote.Wait();
  old_pool.reset();
  EXPECT_EQ(late.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(registry_->GetJob(id)->state, JobState::kRunning);
  finish.Open();
  EXPECT_EQ(WaitForEnd(id).state, JobState::kSucceeded);
  EXPECT_EQ(History(id), "queued running queued running succeeded");
}

// The same over the real registry, once: schema and queries agree with what the pool writes.
TEST_F(JobRestartTest, WorksOverTheRealRegistry) {
  const testing::TempFolder folder;
  bool rebuilt = false;
  registry_ = *registry::OpenSqliteRegistry((folder / "registry.db").string(), &rebuilt);
  Leave("cut", JobState::kRunning);
  Leave("cancelled", JobState::kCancelling);
  Start([](JobContext& context) {
    LLMD_RETURN_IF_ERROR(context.cancel().Check());
    LLMD_RETURN_IF_ERROR(context.BeginStep("only"));
    context.AddLog("line");
    return OkStatus();
  });
  const std::string id = Submit("new", "key").id;
  EXPECT_EQ(WaitForEnd("cut").state, JobState::kSucceeded);
  EXPECT_EQ(WaitForEnd("cancelled").state, JobState::kCancelled);
  EXPECT_EQ(WaitForEnd(id).state, JobState::kSucceeded);
  EXPECT_EQ(History("cut"), "queued running queued running succeeded");
  pool_.reset();
}

}  // namespace
}  // namespace llmd::jobs
