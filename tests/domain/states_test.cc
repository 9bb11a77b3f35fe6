#include "domain/states.h"

#include <gtest/gtest.h>

#include <set>

namespace llmd {
namespace {

TEST(StatesTest, NamesGoThereAndBack) {
  for (int i = 0; i < 4; ++i) {
    const auto state = static_cast<ModelState>(i);
    EXPECT_EQ(ModelStateFromString(ToString(state)), state);
  }
  for (int i = 0; i < 6; ++i) {
    const auto state = static_cast<JobState>(i);
    EXPECT_EQ(JobStateFromString(ToString(state)), state);
  }
  for (int i = 0; i < 7; ++i) {
    const auto state = static_cast<ServerState>(i);
    EXPECT_EQ(ServerStateFromString(ToString(state)), state);
  }
  EXPECT_EQ(ToString(ServerState::kCrashLoop), "crash_loop");
  for (const char* other : {"", "Queued", "unknown", "running "}) {
    EXPECT_FALSE(JobStateFromString(other).has_value());
    EXPECT_FALSE(ModelStateFromString(other).has_value());
    EXPECT_FALSE(ServerStateFromString(other).has_value());
  }
  EXPECT_EQ(ToString(static_cast<JobState>(99)), "unknown");
}

TEST(StatesTest, AJobsLifeIsThisAndNoOther) {
  using enum JobState;
  const std::set<std::pair<JobState, JobState>> allowed = {
      {kQueued, kRunning},     {kQueued, kCancelled},      {kRunning, kQueued},
      {kRunning, kCancelling}, {kRunning, kSucceeded},     {kRunning, kFailed},
      {kRunning, kCancelled},  {kCancelling, kCancelling}, {kCancelling, kSucceeded},
      {kCancelling, kFailed},  {kCancelling, kCancelled}};
  for (int from = 0; from < 6; ++from) {
    for (int to = 0; to < 6; ++to) {
      const std::pair pair(static_cast<JobState>(from), static_cast<JobState>(to));
      EXPECT_EQ(MayFollow(pair.first, pair.second), allowed.contains(pair))
          << ToString(pair.first) << " -> " << ToString(pair.second);
    }
  }
}

TEST(StatesTest, ErrorsKeepCodeAndNextStepBothWays) {
  const Status status =
      MakeStatus(StatusCode::kPermissionDenied, "gated", {.code = "gated", .next_step = "Ask."});
  const ErrorRecord record = ToErrorRecord(status);
  EXPECT_EQ(record.code, "gated");
  EXPECT_EQ(record.message, "gated");
  EXPECT_EQ(record.next_step, "Ask.");
  const Status back = ToStatus(record, StatusCode::kPermissionDenied);
  EXPECT_EQ(back.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Message(back), "gated");
  EXPECT_EQ(GetErrorInfo(back).next_step, "Ask.");
  EXPECT_FALSE(ToStatus(record, StatusCode::kOk).ok());
}

}  // namespace
}  // namespace llmd
