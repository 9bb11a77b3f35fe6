// Exit codes, and errors as they come over gRPC.
#include <gmock/gmock.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>
#include <llmd/v1/jobs.pb.h>

#include "lib/exit_code.h"
#include "lib/rpc_status.h"

namespace llmd::client {
namespace {

int ExitOf(StatusCode code, const std::string& name = "") {
  return ExitCodeFor(name.empty() ? MakeStatus(code, "x") : MakeStatus(code, "x", {.code = name}));
}

TEST(ExitCodeFor, TheStableCodeDecidesFirst) {
  EXPECT_EQ(ExitCodeFor(OkStatus()), 0);
  EXPECT_EQ(ExitOf(StatusCode::kFailedPrecondition, "not_installable"), 3);
  EXPECT_EQ(ExitOf(StatusCode::kResourceExhausted, "disk_full"), 3);
  EXPECT_EQ(ExitOf(StatusCode::kFailedPrecondition, "not_a_model"), 4);
  EXPECT_EQ(ExitOf(StatusCode::kInvalidArgument, "unsafe_path"), 4);
  for (const char* name : {"repository_not_found", "revision_not_found", "gated",
                           "gated_needs_token", "invalid_token", "hub_unreachable", "not_cached"}) {
    EXPECT_EQ(ExitOf(StatusCode::kUnavailable, name), 5) << name;
  }
  EXPECT_EQ(ExitOf(StatusCode::kUnavailable, "daemon_not_started"), 6);
  // The error of a failed job keeps its meaning where it has one.
  EXPECT_EQ(ExitOf(StatusCode::kAborted, "gated"), 5);
  EXPECT_EQ(ExitOf(StatusCode::kAborted, "checksum_mismatch"), 7);
  EXPECT_EQ(ExitOf(StatusCode::kAborted, "job_cancelled"), 7);
  EXPECT_EQ(ExitOf(StatusCode::kCancelled, "interrupted"), 130);
}

TEST(ExitCodeFor, ElseTheStatusCode) {
  EXPECT_EQ(ExitOf(StatusCode::kNotFound), 2);
  EXPECT_EQ(ExitOf(StatusCode::kInvalidArgument, "model_not_found"), 2);
  EXPECT_EQ(ExitOf(StatusCode::kInternal), 1);
  EXPECT_EQ(ExitOf(StatusCode::kCancelled), 130);
}

TEST(FromGrpc, TakesCodeAndNextStepOutOfTheDetails) {
  v1::Error error;
  error.set_code("gated");
  error.set_next_step("Accept the licence.");
  google::rpc::Status details;
  details.set_code(7);
  details.add_details()->PackFrom(error);
  const Status status = FromGrpc(
      grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no access", details.SerializeAsString()));
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Message(status), "no access");
  EXPECT_EQ(GetErrorInfo(status).code, "gated");
  EXPECT_EQ(GetErrorInfo(status).next_step, "Accept the licence.");
}

TEST(FromGrpc, SurvivesStrangeDetails) {
  for (const std::string& details :
       {std::string(), std::string("\xff\xff\xff"), std::string(100, '\0')}) {
    const Status status = FromGrpc(grpc::Status(grpc::StatusCode::INTERNAL, "broken", details));
    EXPECT_EQ(status.code(), StatusCode::kInternal);
    EXPECT_EQ(GetErrorInfo(status).code, "internal");
  }
  EXPECT_EQ(GetErrorInfo(FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone"))).code,
            "daemon_unreachable");
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
}

}  // namespace
}  // namespace llmd::client
