// Cancelling in every state, and what a shutdown does to jobs.
#include <gmock/gmock.h>

#include "job_pool_fixture.h"

namespace llmd::jobs {
namespace {

class JobCancelTest : public JobPoolFixture {};

TEST_F(JobCancelTest, AQueuedJobEndsAtOnceAndNeverRuns) {
  Gate rest;
  std::vector<std::string> ran;
  Start(
      [&](JobContext& context) {
        ran.push_back(context.job().subject);
        rest.Wait();
        return OkStatus();
      },
      1);
  const std::string first = Submit("first").id;
  const std::string second = Submit("second").id;
  WaitForState(first, JobState::kRunning);
  const auto cancelled = pool_->Cancel(second);
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->state, JobState::kCancelled);
  rest.Open();
  WaitForEnd(first);
  WaitForEnd(Submit("third").id);
  EXPECT_THAT(ran, ::testing::ElementsAre("first", "third"));
  EXPECT_EQ(History(second), "queued cancelled");
}

TEST_F(JobCancelTest, ARunningJobIsAskedToEnd) {
  bool before = true;
  bool requested = false;
  Gate looked;
  Start([&](JobContext& context) {
    before = context.CancelRequested();
    looked.Open();
    WaitForCancel(context);
    requested = context.CancelRequested();
    return Cancelled();
  });
  const std::string id = Submit("a").id;
  looked.Wait();
  const auto job = pool_->Cancel(id);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state, JobState::kCancelling);
  EXPECT_FALSE(before);
  EXPECT_EQ(WaitForEnd(id).state, JobState::kCancelled);
  EXPECT_TRUE(requested);
  EXPECT_EQ(History(id), "queued running cancelling cancelled");
}

TEST_F(JobCancelTest, StepsAndLogsGoOnWhileItCleansUp) {
  Start([](JobContext& context) {
    WaitForCancel(context);
    EXPECT_TRUE(context.BeginStep("clean up").ok());
    context.AddLog("gone");
    return Cancelled();
  });
  const std::string id = Submit("a").id;
  WaitForState(id, JobState::kRunning);
  ASSERT_TRUE(pool_->Cancel(id).ok());
  WaitForEnd(id);
  const auto events = pool_->Events(id, 3);
  ASSERT_EQ(events->size(), 3u);
  EXPECT_EQ((*events)[0].job.state, JobState::kCancelling);
  EXPECT_EQ((*events)[1].message, "gone");
}

TEST_F(JobCancelTest, AJobThatWasDoneBeforeItHeardSucceeds) {
  Gate asked;
  Start([&asked](JobContext&) {
    asked.Wait();
    return OkStatus();
  });
  const std::string id = Submit("a").id;
  WaitForState(id, JobState::kRunning);
  ASSERT_TRUE(pool_->Cancel(id).ok());
  asked.Open();
  EXPECT_EQ(WaitForEnd(id).state, JobState::kSucceeded);
}

TEST_F(JobCancelTest, AnotherErrorAfterACancelIsAFailure) {
  Start([](JobContext& context) {
    WaitForCancel(context);
    return DataLoss("the disk broke");
  });
  const std::string id = Submit("a").id;
  WaitForState(id, JobState::kRunning);
  ASSERT_TRUE(pool_->Cancel(id).ok());
  EXPECT_EQ(WaitForEnd(id).state, JobState::kFailed);
}

TEST_F(JobCancelTest, CancelTwiceIsFineAndOfAnEndedJobAnError) {
  Gate rest;
  Start([&rest](JobContext& context) {
    if (context.job().subject == "done") return OkStatus();
    WaitForCancel(context);
    rest.Wait();
    return Cancelled();
  });
  const std::string id = Submit("a").id;
  WaitForState(id, JobState::kRunning);
  EXPECT_EQ(pool_->Cancel(id)->state, JobState::kCancelling);
  EXPECT_EQ(pool_->Cancel(id)->state, JobState::kCancelling);
  rest.Open();
  WaitForEnd(id);
  EXPECT_EQ(pool_->Cancel(id)->state, JobState::kCancelled);
  const std::string done = Submit("done").id;
  WaitForEnd(done);
  const auto late = pool_->Cancel(done);
  EXPECT_EQ(late.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(GetErrorInfo(late.status()).code, "job_ended");
}

TEST_F(JobCancelTest, ACancelledJobMayBeSubmittedAgainByItsKey) {
  Start(UntilCancelled);
  const std::string id = Submit("a", "key").id;
  WaitForState(id, JobState::kRunning);
  ASSERT_TRUE(pool_->Cancel(id).ok());
  WaitForEnd(id);
  EXPECT_NE(Submit("a", "key").id, id);
}

TEST_F(JobCancelTest, AShutdownIsNotACancelTheNextDaemonGoesOn) {
  bool requested = true;
  Start([&requested](JobContext& context) {
    WaitForCancel(context);
    requested = context.CancelRequested();
    return Unavailable("stopped");
  });
  const std::string id = Submit("a").id;
  const std::string waits = Submit("a").id;
  WaitForState(id, JobState::kRunning);
  pool_->Stop();
  EXPECT_FALSE(requested);
  EXPECT_EQ(registry_->GetJob(id)->state, JobState::kQueued);
  EXPECT_EQ(registry_->GetJob(id)->crashes, 0) << "a clean stop is no crash";
  EXPECT_EQ(registry_->GetJob(waits)->state, JobState::kQueued);
  EXPECT_EQ(GetErrorInfo(pool_->Submit({.kind = "test"}).status()).code, "shutting_down");

  int attempt = 0;
  Start([&](JobContext& context) {
    if (context.job().id == id) attempt = context.job().attempt;
    return OkStatus();
  });
  EXPECT_EQ(WaitForEnd(id).state, JobState::kSucceeded);
  EXPECT_EQ(WaitForEnd(waits).state, JobState::kSucceeded);
  EXPECT_EQ(attempt, 2);
}

TEST_F(JobCancelTest, AShutdownWhileItCancelsEndsTheCancellation) {
  Gate stopping;
  Start([&stopping](JobContext& context) {
    WaitForCancel(context);
    if (context.job().subject == "other") {
      stopping.Open();
    } else {
      stopping.Wait();
    }
    return Unavailable("stopped");
  });
  const std::string id = Submit("a").id;
  WaitForState(id, JobState::kRunning);
  WaitForState(Submit("other").id, JobState::kRunning);
  ASSERT_TRUE(pool_->Cancel(id).ok());
  pool_->Stop();
  EXPECT_EQ(registry_->GetJob(id)->state, JobState::kCancelled);
}

TEST_F(JobCancelTest, AWorkThatFinishesDuringAShutdownIsRecorded) {
  Start([](JobContext& context) {
    WaitForCancel(context);
    return OkStatus();
  });
  const std::string id = Submit("a").id;
  WaitForState(id, JobState::kRunning);
  pool_->Stop();
  EXPECT_EQ(registry_->GetJob(id)->state, JobState::kSucceeded);
}

}  // namespace
}  // namespace llmd::jobs
