#include "rpc/status.h"

#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>
#include <llmd/v1/jobs.pb.h>

namespace llmd::rpc {
namespace {

TEST(ToGrpc, CarriesCodeSentenceAndNextStep) {
  const grpc::Status status =
      ToGrpc(MakeStatus(StatusCode::kResourceExhausted, "it needs 3 GiB",
                        {.code = "does_not_fit", .next_step = "Stop another model."}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "it needs 3 GiB");
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_EQ(details.details_size(), 1);
  v1::Error error;
  ASSERT_TRUE(details.details(0).UnpackTo(&error));
  EXPECT_EQ(error.code(), "does_not_fit");
  EXPECT_EQ(error.message(), "it needs 3 GiB");
  EXPECT_EQ(error.next_step(), "Stop another model.");
}

TEST(ToGrpc, EveryErrorHasACode) {
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(ToGrpc(Internal("oops")).error_details()));
  v1::Error error;
  ASSERT_TRUE(details.details(0).UnpackTo(&error));
  EXPECT_EQ(error.code(), "internal");
}

TEST(ToGrpc, OkIsOk) { EXPECT_TRUE(ToGrpc(OkStatus()).ok()); }

}  // namespace
}  // namespace llmd::rpc
