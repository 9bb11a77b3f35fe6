#include "rpc/control_server.h"

#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>
#include <llmd/v1/jobs.grpc.pb.h>
#include <llmd/v1/models.grpc.pb.h>
#include <llmd/v1/servers.grpc.pb.h>
#include <llmd/v1/system.grpc.pb.h>
#include <sys/stat.h>

#include <chrono>
#include <future>

#include "rpc/control_fixture.h"

namespace llmd::rpc {
namespace {

std::string CodeOf(const grpc::Status& status) {
  google::rpc::Status details;
  v1::Error error;
  if (!details.ParseFromString(status.error_details()) || details.details_size() == 0) return "";
  return details.details(0).UnpackTo(&error) ? error.code() : "";
}

class ControlServerTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(fixture.server->Start().ok()); }
  ControlFixture fixture;
};

TEST_F(ControlServerTest, SocketIsForTheUserAlone) {
  struct stat facts {};
  ASSERT_EQ(::stat((fixture.home.run() / "llmd.sock").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  fixture.server->Stop();
  EXPECT_NE(::stat((fixture.home.run() / "llmd.sock").c_str(), &facts), 0);
}

TEST_F(ControlServerTest, InfoSaysWhatItIs) {
  auto stub = v1::System::NewStub(fixture.Channel());
  grpc::ClientContext context;
  v1::InfoResponse info;
  ASSERT_TRUE(stub->Info(&context, {}, &info).ok());
  EXPECT_EQ(info.pid(), ::getpid());
  EXPECT_EQ(info.http(), "http://127.0.0.1:1");
  EXPECT_EQ(info.machine().cpus(), 8);
  EXPECT_EQ(info.memory().capacity_bytes(), 1 << 30);
}

TEST_F(ControlServerTest, CheckPassesEverythingOnAndErrorsBack) {
  fixture.pipelines.on_check = [](const pipelines::CheckRequest& request,
                                  const CancelToken&) -> StatusOr<pipelines::CheckResult> {
    EXPECT_EQ(request.source.repo_id, "acme/none");
    EXPECT_EQ(request.source.credentials.token, "hf_secret");
    EXPECT_TRUE(request.source.offline);
    EXPECT_EQ(request.wish.variant, "Q4_K_M");
    EXPECT_EQ(request.wish.context, 512);
    return MakeStatus(StatusCode::kNotFound, "there is no acme/none",
                      {.code = "repository_not_found", .next_step = "Look at its name."});
  };
  auto stub = v1::Models::NewStub(fixture.Channel());
  grpc::ClientContext context;
  v1::CheckRequest request;
  request.mutable_source()->set_repo_id("acme/none");
  request.mutable_source()->set_hf_token("hf_secret");
  request.mutable_source()->set_offline(true);
  request.set_variant("Q4_K_M");
  request.set_context(512);
  v1::CheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(CodeOf(status), "repository_not_found");
}

TEST_F(ControlServerTest, DeadlineCancelsTheWork) {
  std::promise<void> cancelled;
  fixture.pipelines.on_check = [&cancelled](
                                   const pipelines::CheckRequest&,
                                   const CancelToken& cancel) -> StatusOr<pipelines::CheckResult> {
    while (!cancel.WaitFor(std::chrono::hours(1))) {
    }
    cancelled.set_value();
    return Cancelled();
  };
  auto stub = v1::Models::NewStub(fixture.Channel());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  v1::CheckResponse response;
  EXPECT_EQ(stub->Check(&context, {}, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  cancelled.get_future().wait();
}

TEST_F(ControlServerTest, JobWatcherGetsStoredEventsThenLiveOnesToTheEnd) {
  fixture.jobs.Tell("j1", "state", "queued", JobState::kQueued);
  fixture.jobs.Tell("j1", "step", "resolve");
  fixture.jobs.Tell("j1", "log", "line");
  auto stub = v1::Jobs::NewStub(fixture.Channel());
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_id("j1");
  request.set_after_sequence(1);
  auto reader = stub->Watch(&context, request);
  v1::JobEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.sequence(), 2);
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.message(), "line");
  fixture.jobs.Tell("j1", "progress", "");
  fixture.jobs.Tell("j1", "state", "succeeded", JobState::kSucceeded);
  std::vector<int64_t> rest;
  while (reader->Read(&event)) rest.push_back(event.sequence());
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(rest, (std::vector<int64_t>{0, 4}));
}

TEST_F(ControlServerTest, LongHistoryIsNotTakenForASlowReader) {
  constexpr int kLines = 3000;
  for (int i = 0; i < kLines; ++i) fixture.jobs.Tell("j1", "log", std::to_string(i));
  fixture.jobs.Tell("j1", "state", "succeeded", JobState::kSucceeded);
  auto stub = v1::Jobs::NewStub(fixture.Channel());
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_id("j1");
  auto reader = stub->Watch(&context, request);
  v1::JobEvent event;
  int64_t next = 1;
  while (reader->Read(&event)) EXPECT_EQ(event.sequence(), next++);
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(next, kLines + 2);
}

TEST_F(ControlServerTest, UnknownJobIsNotFound) {
  auto stub = v1::Jobs::NewStub(fixture.Channel());
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_id("nothing");
  auto reader = stub->Watch(&context, request);
  v1::JobEvent event;
  EXPECT_FALSE(reader->Read(&event));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(CodeOf(status), "job_not_found");
}

TEST_F(ControlServerTest, SystemWatcherGetsASnapshotThenChanges) {
  fixture.AddModel();
  auto stub = v1::System::NewStub(fixture.Channel());
  grpc::ClientContext context;
  auto reader = stub->Watch(&context, {});
  v1::SystemEvent event;
  ASSERT_TRUE(reader->Read(&event));
  ASSERT_TRUE(event.has_snapshot());
  ASSERT_EQ(event.snapshot().models_size(), 1);
  EXPECT_EQ(event.snapshot().models(0).server_state(), "stopped");
  fixture.jobs.Tell("j1", "log", "only for who watches the job");
  fixture.jobs.Tell("j1", "step", "download");
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.job().step(), "download");
  fixture.models->Remove(kModel).IgnoreError();
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.model_removed(), kModel);
  context.TryCancel();
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ControlServerTest, StopTellsWatchersWhy) {
  auto stub = v1::System::NewStub(fixture.Channel());
  grpc::ClientContext context;
  auto reader = stub->Watch(&context, {});
  v1::SystemEvent event;
  ASSERT_TRUE(reader->Read(&event));
  fixture.server->Stop();
  EXPECT_FALSE(reader->Read(&event));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(CodeOf(status), "shutting_down");
}

TEST_F(ControlServerTest, StartAnswersWhenTheServerIsReady) {
  fixture.AddModel();
  auto stub = v1::Servers::NewStub(fixture.Channel());
  auto answer = std::async(std::launch::async, [&stub] {
    grpc::ClientContext context;
    v1::StartServerRequest request;
    request.set_model("TINY");
    v1::Server server;
    const grpc::Status status = stub->Start(&context, request, &server);
    return status.ok() ? server.state() : status.error_message();
  });
  // Start has come when the supervisor knows of it.
  while (fixture.supervisor->starts().empty()) std::this_thread::yield();
  fixture.supervisor->Ready(kFolder, "unix:///nowhere");
  EXPECT_EQ(answer.get(), "ready");
}

TEST_F(ControlServerTest, WhatDoesNotFitIsRefusedWithTheFigures) {
  fixture.AddModel(/*memory_bytes=*/int64_t{5} << 30);
  auto stub = v1::Servers::NewStub(fixture.Channel());
  grpc::ClientContext context;
  v1::StartServerRequest request;
  request.set_model(kModel);
  v1::Server server;
  const grpc::Status status = stub->Start(&context, request, &server);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(CodeOf(status), "does_not_fit");
  EXPECT_NE(status.error_message().find("5.0 GiB"), std::string::npos) << status.error_message();
}

TEST_F(ControlServerTest, ShutdownPassesTheWishOn) {
  auto stub = v1::System::NewStub(fixture.Channel());
  grpc::ClientContext context;
  v1::ShutdownRequest request;
  request.set_keep_servers(true);
  v1::ShutdownResponse response;
  ASSERT_TRUE(stub->Shutdown(&context, request, &response).ok());
  EXPECT_EQ(fixture.kept_servers, true);
}

// What is asked over TCP with this metadata.
grpc::Status InfoOverTcp(const ControlFixture& fixture, const std::string& key,
                         const std::string& value) {
  const auto channel =
      grpc::CreateChannel(*fixture.server->tcp_address(), grpc::InsecureChannelCredentials());
  auto stub = v1::System::NewStub(channel);
  grpc::ClientContext context;
  if (!key.empty()) context.AddMetadata(key, value);
  v1::InfoResponse info;
  return stub->Info(&context, {}, &info);
}

TEST(ControlServerTcp, WantsTheToken) {
  ControlFixture fixture("127.0.0.1:0");
  ASSERT_TRUE(fixture.server->Start().ok());
  const auto refused = grpc::StatusCode::UNAUTHENTICATED;
  EXPECT_EQ(InfoOverTcp(fixture, "", "").error_code(), refused);
  EXPECT_EQ(InfoOverTcp(fixture, "authorization", "Bearer ").error_code(), refused);
  EXPECT_EQ(InfoOverTcp(fixture, "authorization", "Bearer 00112234").error_code(), refused);
  EXPECT_EQ(InfoOverTcp(fixture, "x-llmd-caller", "http").error_code(), refused);
  EXPECT_TRUE(InfoOverTcp(fixture, "authorization", "Bearer 00112233").ok());
}

TEST(ControlServerTcp, TakesNoHuggingFaceToken) {
  ControlFixture fixture("127.0.0.1:0");
  ASSERT_TRUE(fixture.server->Start().ok());
  const auto channel =
      grpc::CreateChannel(*fixture.server->tcp_address(), grpc::InsecureChannelCredentials());
  auto stub = v1::Models::NewStub(channel);
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer 00112233");
  v1::CheckRequest request;
  request.mutable_source()->set_repo_id("acme/tiny");
  request.mutable_source()->set_hf_token("hf_secret");
  v1::CheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  EXPECT_EQ(CodeOf(status), "token_not_accepted");
  EXPECT_EQ(status.error_message().find("hf_secret"), std::string::npos);
}

TEST(ControlServerTcp, TakenPortIsNamed) {
  ControlFixture first("127.0.0.1:0");
  ASSERT_TRUE(first.server->Start().ok());
  ControlFixture second(*first.server->tcp_address());
  const Status status = second.server->Start();
  EXPECT_EQ(GetErrorInfo(status).code, "address_in_use");
  EXPECT_NE(Message(status).find(*first.server->tcp_address()), std::string::npos);
}

}  // namespace
}  // namespace llmd::rpc
