#include "rpc/agent_service.h"

#include <gtest/gtest.h>
#include <llmd/v1/agent.grpc.pb.h>

#include <string>
#include <thread>

#include "rpc/control_fixture.h"
#include "support/fakes/fake_model_server.h"

namespace llmd::rpc {
namespace {

using testing::FakeModelServer;
using testing::RawConnection;
using testing::RawMessage;

std::string Event(const std::string& data) { return testing::Chunk("data: " + data + "\n\n"); }

class AgentServiceTest : public ::testing::Test {
 protected:
  // Installs the model and has its server ready at `endpoint`.
  void Serve(const std::string& endpoint) {
    ASSERT_TRUE(fixture.server->Start().ok());
    fixture.AddModel();
    fixture.router->Start(kModel, {}, [](const StatusOr<ServerRecord>&) {});
    fixture.supervisor->Ready(kFolder, endpoint);
  }

  // The answer's text; `status` is how it ended.
  std::string Chat(grpc::Status& status) {
    grpc::ClientContext context;
    v1::ChatRequest request;
    request.set_model(kModel);
    request.add_messages()->set_role("user");
    auto reader = stub()->Chat(&context, request);
    std::string text;
    v1::GenerationChunk chunk;
    while (reader->Read(&chunk)) {
      text += chunk.text();
      if (!chunk.finish_reason().empty()) reason = chunk.finish_reason();
    }
    status = reader->Finish();
    return text;
  }

  v1::Agent::Stub* stub() {
    if (!stub_) stub_ = v1::Agent::NewStub(fixture.Channel());
    return stub_.get();
  }

  ControlFixture fixture;
  std::string reason;
  std::unique_ptr<v1::Agent::Stub> stub_;
};

TEST_F(AgentServiceTest, ChatStreamsTheAnswer) {
  FakeModelServer upstream([](RawConnection& connection, const RawMessage&) {
    return connection.Write(testing::kStreamHead) &&
           connection.Write(Event(R"({"choices":[{"delta":{"content":"Par"}}]})")) &&
           connection.Write(
               Event(R"({"choices":[{"delta":{"content":"is"},"finish_reason":"stop"}]})")) &&
           connection.Write(Event("[DONE]")) && connection.Write("0\r\n\r\n");
  });
  Serve(upstream.endpoint());
  grpc::Status status;
  EXPECT_EQ(Chat(status), "Paris");
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reason, "stop");
  EXPECT_EQ(fixture.router->Server(kModel)->in_flight, 0);
}

TEST_F(AgentServiceTest, CutAnswerIsNoAnswer) {
  FakeModelServer upstream([](RawConnection& connection, const RawMessage&) {
    connection.Write(testing::kStreamHead);
    connection.Write(Event(R"({"choices":[{"delta":{"content":"Par"}}]})"));
    return false;
  });
  Serve(upstream.endpoint());
  grpc::Status status;
  EXPECT_EQ(Chat(status), "Par");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AgentServiceTest, AnswerThatEndsTooEarlyIsNoAnswer) {
  FakeModelServer upstream([](RawConnection& connection, const RawMessage&) {
    return connection.Write(testing::kStreamHead) &&
           connection.Write(Event(R"({"choices":[{"delta":{"content":"Par"}}]})")) &&
           connection.Write("0\r\n\r\n");
  });
  Serve(upstream.endpoint());
  grpc::Status status;
  Chat(status);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AgentServiceTest, RefusalOfTheModelServerIsPassedOn) {
  FakeModelServer upstream([](RawConnection& connection, const RawMessage&) {
    return connection.Write(testing::PlainAnswer(
        400, "application/json", R"({"error":{"message":"too long","code":"context_length"}})"));
  });
  Serve(upstream.endpoint());
  grpc::Status status;
  Chat(status);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "too long");
}

TEST_F(AgentServiceTest, ClientGoneEndsTheGeneration) {
  FakeModelServer* self = nullptr;
  FakeModelServer upstream([&self](RawConnection& connection, const RawMessage&) {
    connection.Write(testing::kStreamHead);
    connection.Write(Event(R"({"choices":[{"delta":{"content":"a"}}]})"));
    while (!connection.ReadSome().empty()) {
    }
    self->CountGone();
    return false;
  });
  self = &upstream;
  Serve(upstream.endpoint());
  grpc::ClientContext context;
  v1::ChatRequest request;
  request.set_model(kModel);
  request.add_messages()->set_role("user");
  auto reader = stub()->Chat(&context, request);
  v1::GenerationChunk chunk;
  ASSERT_TRUE(reader->Read(&chunk));
  context.TryCancel();
  EXPECT_TRUE(upstream.WaitForGone(1));
  while (reader->Read(&chunk)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(AgentServiceTest, ModelOfAnotherKindSaysSo) {
  FakeModelServer upstream([](RawConnection&, const RawMessage&) { return false; });
  Serve(upstream.endpoint());
  grpc::ClientContext context;
  v1::EmbedRequest request;
  request.set_model(kModel);
  request.add_input("text");
  v1::EmbedResponse response;
  const grpc::Status status = stub()->Embed(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_NE(status.error_message().find("/v1/embeddings"), std::string::npos);
  EXPECT_TRUE(upstream.requests().empty());
}

}  // namespace
}  // namespace llmd::rpc
