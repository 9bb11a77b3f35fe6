#include "supervisor/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>

namespace llmd::supervisor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Failure, TellsCodeLinesAndNextStep) {
  ServerEnd end{.model = "org/name", .exit = platform::ShimExit{.exit_code = 23}};
  for (int i = 0; i < 20; ++i) end.exit->last_log.push_back("line " + std::to_string(i));
  const Status status = ServerFailed(end);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(GetErrorInfo(status).code, "server_failed");
  EXPECT_THAT(GetErrorInfo(status).next_step, HasSubstr("llmctl logs org/name"));
  EXPECT_EQ(FirstLine(Message(status)),
            "the server of org/name ended with exit code 23 before it was ready");
  EXPECT_THAT(Message(status), HasSubstr("\n  line 19"));
  EXPECT_THAT(Message(status), HasSubstr("\n  line 10\n"));
  EXPECT_THAT(Message(status), Not(HasSubstr("line 9")));
}

TEST(Failure, TellsSignalMemoryAndSilence) {
  ServerEnd end{.model = "m", .exit = platform::ShimExit{.exit_code = -1, .signal = SIGSEGV}};
  end.was_ready = true;
  EXPECT_THAT(Message(ServerFailed(end)), HasSubstr("signal 11 (Segmentation fault)"));
  EXPECT_THAT(Message(ServerFailed(end)), Not(HasSubstr("before it was ready")));
  end.exit->oom = true;
  EXPECT_THAT(Message(ServerFailed(end)), HasSubstr("memory ran out"));
  end.exit.reset();
  EXPECT_THAT(Message(ServerFailed(end)), HasSubstr("llmd-shim was killed"));
  end.was_ready = false;
  end.said = "no such file";
  EXPECT_EQ(Message(ServerFailed(end)), "the server of m could not be run: no such file");
}

TEST(Failure, WhatTheServerSaidIsToldWithoutTerminalCodes) {
  const ServerEnd end{.model = "m",
                      .exit = platform::ShimExit{.exit_code = 1, .last_log = {"\x1b[31mred"}},
                      .said = "out of \x1b[1mpatience"};
  EXPECT_THAT(Message(ServerFailed(end)), HasSubstr(": out of "));
  EXPECT_THAT(Message(ServerFailed(end)), Not(HasSubstr("\x1b")));
}

TEST(Failure, AShimThatCannotBeStarted) {
  const Status missing = CannotLaunch("m", NotFound("no llmd-shim"));
  EXPECT_EQ(missing.code(), StatusCode::kUnavailable) << "not found would mean the model";
  EXPECT_EQ(GetErrorInfo(missing).code, "server_failed");
  EXPECT_THAT(Message(missing), HasSubstr("no llmd-shim"));
  const Status full = CannotLaunch("m", ErrnoStatus(ENOSPC, "spec.json"));
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorInfo(full).code, "disk_full");
}

TEST(Failure, TheOthers) {
  const ServerEnd end{.model = "m", .exit = platform::ShimExit{.last_log = {"loading"}}};
  const Status timed_out = StartTimedOut(end, std::chrono::seconds(7));
  EXPECT_EQ(timed_out.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(GetErrorInfo(timed_out).code, "server_start_timeout");
  EXPECT_THAT(Message(timed_out), HasSubstr("7 s"));
  EXPECT_THAT(Message(timed_out), HasSubstr("loading"));
  EXPECT_EQ(GetErrorInfo(StoppedBeforeReady("m")).code, "server_stopped");
  EXPECT_THAT(Message(StopTimedOut("m", 42)), HasSubstr("process 42"));
  EXPECT_EQ(FirstLine("a\nb"), "a");
  EXPECT_EQ(FirstLine("a"), "a");
}

}  // namespace
}  // namespace llmd::supervisor
