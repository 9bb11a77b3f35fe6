// The bridge against a real gRPC server in this process: bytes on the wire in both directions.
#include "gateway/grpc_web/bridge.h"

#include <google/rpc/status.pb.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <llmd/v1/jobs.grpc.pb.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "gateway/gateway_fixture.h"
#include "gateway/grpc_web/frame.h"

namespace llmd::gateway {
namespace {

// What the test's streams have seen.
struct Watched {
  std::mutex mutex;
  std::condition_variable changed;
  int cancelled = 0;
  std::atomic<int64_t> written{0};

  bool WaitForCancelled(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), [&] { return cancelled >= count; });
  }
};

// Sends events 1, 2, ... `count`; then ends with `end`, or stays until it is cancelled.
class EventStream : public grpc::ServerWriteReactor<v1::JobEvent> {
 public:
  EventStream(Watched& watched, int64_t count, std::string payload, std::optional<grpc::Status> end)
      : watched_(watched), count_(count), end_(std::move(end)) {
    event_.set_message(std::move(payload));
    StartSendInitialMetadata();
    Next();
  }

 private:
  void Next() {
    if (event_.sequence() < count_) {
      event_.set_sequence(event_.sequence() + 1);
      return StartWrite(&event_);
    }
    if (end_) End(*end_);
  }
  void End(const grpc::Status& status) {
    if (!ended_.exchange(true)) Finish(status);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return End(grpc::Status::CANCELLED);
    ++watched_.written;
    Next();
  }
  void OnCancel() override {
    {
      std::lock_guard lock(watched_.mutex);
      ++watched_.cancelled;
      watched_.changed.notify_all();
    }
    End(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

  Watched& watched_;
  const int64_t count_;
  const std::optional<grpc::Status> end_;
  v1::JobEvent event_;
  std::atomic<bool> ended_{false};
};

grpc::Status NotFound() {
  v1::Error error;
  error.set_code("job_not_found");
  google::rpc::Status details;
  details.set_code(5);
  details.add_details()->PackFrom(error);
  return {grpc::StatusCode::NOT_FOUND, "no job \xc3\xa9 100% \n", details.SerializeAsString()};
}

class TestJobs : public v1::Jobs::WithCallbackMethod_Watch<v1::Jobs::Service> {
 public:
  explicit TestJobs(Watched& watched) : watched_(watched) {}

 private:
  // Tells what came with the call.
  grpc::Status Get(grpc::ServerContext* context, const v1::GetJobRequest* request,
                   v1::Job* job) override {
    if (request->id() == "missing") return NotFound();
    if (request->id() == "slow") {
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::CANCELLED;
    }
    job->set_id(request->id());
    for (const auto& [key, value] : context->client_metadata()) {
      const std::string name(key.data(), key.size());
      job->set_subject(job->subject() + name + "=" + std::string(value.data(), value.size()) + ";");
    }
    return grpc::Status::OK;
  }
  grpc::ServerWriteReactor<v1::JobEvent>* Watch(grpc::CallbackServerContext*,
                                                const v1::WatchJobRequest* request) override {
    const int64_t count = request->after_sequence();
    if (request->id() == "fails") return new EventStream(watched_, count, "", NotFound());
    if (request->id() == "stays") return new EventStream(watched_, count, "", std::nullopt);
    if (request->id() == "flood") {
      return new EventStream(watched_, INT64_MAX, std::string(4000, 'x'), std::nullopt);
    }
    return new EventStream(watched_, count, "", grpc::Status::OK);
  }
  Watched& watched_;
};

struct Frame {
  int flag = 0;
  std::string payload;
};

std::vector<Frame> SplitFrames(std::string_view body) {
  std::vector<Frame> frames;
  while (body.size() >= 5) {
    size_t size = 0;
    for (int i = 1; i < 5; ++i) size = size << 8 | static_cast<unsigned char>(body[i]);
    frames.push_back({static_cast<unsigned char>(body[0]), std::string(body.substr(5, size))});
    body.remove_prefix(std::min(body.size(), 5 + size));
  }
  EXPECT_TRUE(body.empty());
  return frames;
}

class BridgeTest : public GatewayTest {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    builder.RegisterService(&jobs_);
    grpc_server_ = builder.BuildAndStart();
    channel_ = grpc_server_->InProcessChannel({});
    StartGateway();
  }
  void TearDown() override {
    GatewayTest::TearDown();
    grpc_server_->Shutdown();
  }

  static Fields Headers(const std::string& type = "application/grpc-web+proto") {
    return {{"Content-Type", type},
            {"X-Grpc-Web", "1"},
            {"Authorization", std::string("Bearer ") + kToken}};
  }
  template <typename Message>
  std::string CallBytes(const std::string& method, const Message& message,
                        Fields headers = Headers()) const {
    const std::string payload = message.SerializeAsString();
    return Request("POST", "/llmd.v1.Jobs/" + method, MessagePrefix(payload.size()) + payload,
                   headers);
  }
  static v1::GetJobRequest GetOf(const std::string& id) {
    v1::GetJobRequest request;
    request.set_id(id);
    return request;
  }
  static v1::WatchJobRequest WatchOf(const std::string& id, int64_t count) {
    v1::WatchJobRequest request;
    request.set_id(id);
    request.set_after_sequence(count);
    return request;
  }
  // The trailers of an answer, which must be its last frame.
  static std::string TrailersOf(const RawMessage& answer) {
    const auto frames = SplitFrames(answer.body);
    if (!answer.complete || frames.empty() || frames.back().flag != 0x80) return "none";
    return frames.back().payload;
  }

  Watched watched_;
  TestJobs jobs_{watched_};
  std::unique_ptr<grpc::Server> grpc_server_;
};

TEST_F(BridgeTest, Unary) {
  const std::string text = "\xc3\xa9 " + std::string(3'000'000, 'x');
  const RawMessage answer = Send(CallBytes("Get", GetOf(text)));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.field("content-type"), "application/grpc-web+proto");
  const auto frames = SplitFrames(answer.body);
  ASSERT_EQ(frames.size(), 2u);
  v1::Job job;
  ASSERT_TRUE(job.ParseFromString(frames[0].payload));
  EXPECT_EQ(job.id(), text);
  EXPECT_EQ(TrailersOf(answer), "grpc-status: 0\r\n");
}

TEST_F(BridgeTest, OnlyOurOwnMetadataPasses) {
  Fields headers = Headers();
  headers.emplace_back("X-Llmd-Caller", "local");
  headers.emplace_back("x-llmd-other", "1");
  headers.emplace_back("Cookie", "a=b");
  headers.emplace_back("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  const RawMessage answer = Send(CallBytes("Get", GetOf("x"), headers));
  v1::Job job;
  ASSERT_TRUE(job.ParseFromString(SplitFrames(answer.body).at(0).payload));
  EXPECT_NE(job.subject().find("x-llmd-caller=http;"), std::string::npos) << job.subject();
  EXPECT_NE(job.subject().find("traceparent=00-4bf9"), std::string::npos);
  for (const char* other : {"local", "x-llmd-other", "cookie", "authorization", kToken}) {
    EXPECT_EQ(job.subject().find(other), std::string::npos) << other;
  }
}

TEST_F(BridgeTest, ErrorsKeepMessageAndDetails) {
  const RawMessage answer = Send(CallBytes("Get", GetOf("missing")));
  EXPECT_EQ(answer.status(), 200);
  const std::string trailers = TrailersOf(answer);
  EXPECT_NE(trailers.find("grpc-status: 5\r\n"), std::string::npos) << trailers;
  EXPECT_NE(trailers.find("grpc-message: no job %C3%A9 100%25 %0A\r\n"), std::string::npos);
  EXPECT_NE(
      trailers.find("grpc-status-details-bin: " + EncodeBase64(NotFound().error_details(), false)),
      std::string::npos);
}

TEST_F(BridgeTest, UnknownMethods) {
  for (const char* path :
       {"/llmd.v1.Jobs/Nope", "/llmd.v1.None/Get", "/llmd.v1.Jobs", "/llmd.v1.Jobs/Get/x"}) {
    const RawMessage answer = Send(Request("POST", path, std::string(5, '\0'), Headers()));
    EXPECT_EQ(answer.status(), 200) << path;
    EXPECT_EQ(TrailersOf(answer).substr(0, 15), "grpc-status: 12") << path;
  }
}

TEST_F(BridgeTest, WantsTheToken) {
  for (const char* method : {"Get", "Watch", "Cancel", "Nope"}) {
    for (const std::string& token : {std::string(), std::string("Bearer ") + std::string(32, '0'),
                                     std::string("Bearer "), std::string(kToken)}) {
      const RawMessage answer = Send(
          CallBytes(method, GetOf("x"),
                    {{"Content-Type", "application/grpc-web+proto"}, {"Authorization", token}}));
      EXPECT_EQ(TrailersOf(answer).substr(0, 15), "grpc-status: 16") << method;
      EXPECT_EQ(SplitFrames(answer.body).size(), 1u);
    }
  }
  EXPECT_GT(Metric(R"(llmd_auth_failures_total{reason="unauthenticated"})"), 0);
}

TEST_F(BridgeTest, OtherContentTypes) {
  for (const char* type : {"application/json", "application/grpc", "application/grpc-web+json",
                           "application/proto", "text/plain"}) {
    EXPECT_EQ(Send(CallBytes("Get", GetOf("x"), Headers(type))).status(), 415) << type;
  }
  EXPECT_EQ(Send(CallBytes("Get", GetOf("x"), Headers("application/grpc-web"))).status(), 200);
}

TEST_F(BridgeTest, BadFrames) {
  const std::string good = MessagePrefix(2) + "\x0a";
  for (const std::string& body :
       {std::string("x"), good, good + "xyz", MessagePrefix(0) + MessagePrefix(0),
        std::string("\x01\0\0\0\0", 5), std::string("\x80\0\0\0\0", 5)}) {
    const RawMessage answer = Send(Request("POST", "/llmd.v1.Jobs/Get", body, Headers()));
    EXPECT_EQ(TrailersOf(answer).substr(0, 14), "grpc-status: 3");
  }
}

TEST_F(BridgeTest, StreamsInOrder) {
  constexpr int64_t kCount = 5000;
  const RawMessage answer = Send(CallBytes("Watch", WatchOf("counts", kCount)));
  const auto frames = SplitFrames(answer.body);
  ASSERT_EQ(frames.size(), size_t{kCount} + 1);
  for (int64_t i = 0; i < kCount; ++i) {
    v1::JobEvent event;
    ASSERT_TRUE(event.ParseFromString(frames[static_cast<size_t>(i)].payload));
    EXPECT_EQ(event.sequence(), i + 1);
  }
  EXPECT_EQ(TrailersOf(answer), "grpc-status: 0\r\n");
}

TEST_F(BridgeTest, AStreamMayFailAfterMessages) {
  const RawMessage answer = Send(CallBytes("Watch", WatchOf("fails", 5)));
  EXPECT_EQ(SplitFrames(answer.body).size(), 6u);
  EXPECT_EQ(TrailersOf(answer).substr(0, 14), "grpc-status: 5");
}

TEST_F(BridgeTest, TextModeIsBase64) {
  const std::string payload = GetOf("hello").SerializeAsString();
  const std::string body = EncodeBase64(MessagePrefix(payload.size()) + payload, true);
  const RawMessage answer =
      Send(Request("POST", "/llmd.v1.Jobs/Get", body, Headers("application/grpc-web-text+proto")));
  EXPECT_EQ(answer.field("content-type"), "application/grpc-web-text+proto");
  const auto decoded = DecodeBase64(answer.body);
  ASSERT_TRUE(decoded) << answer.body;
  const auto frames = SplitFrames(*decoded);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[1].payload, "grpc-status: 0\r\n");
}

TEST_F(BridgeTest, ASilentStreamShowsThatItIsUp) {
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(CallBytes("Watch", WatchOf("stays", 0))));
  const auto head = client.ReadUntil("\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->substr(0, 15), "HTTP/1.1 200 OK");
}

TEST_F(BridgeTest, EachMessageIsFlushed) {
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(CallBytes("Watch", WatchOf("stays", 1))));
  ASSERT_TRUE(client.ReadUntil("\r\n\r\n"));
  EXPECT_EQ(client.ReadUntil("\r\n"), "7\r\n");
  const auto frame = client.ReadExactly(7);
  ASSERT_TRUE(frame);
  EXPECT_EQ(SplitFrames(*frame).size(), 1u);
}

TEST_F(BridgeTest, ClientGoneCancelsTheCall) {
  std::vector<RawConnection> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(Connect());
    ASSERT_TRUE(clients.back().Write(CallBytes("Watch", WatchOf("stays", i % 3))));
    ASSERT_TRUE(clients.back().ReadUntil("\r\n\r\n"));
  }
  for (RawConnection& client : clients) client.Close();
  EXPECT_TRUE(watched_.WaitForCancelled(20));
}

TEST_F(BridgeTest, DeadlinesAreObeyed) {
  Fields headers = Headers();
  headers.emplace_back("Grpc-Timeout", "50m");
  const RawMessage answer = Send(CallBytes("Get", GetOf("slow"), headers));
  EXPECT_EQ(TrailersOf(answer).substr(0, 14), "grpc-status: 4");
  headers.back().second = "soon";
  EXPECT_EQ(TrailersOf(Send(CallBytes("Get", GetOf("x"), headers))).substr(0, 14),
            "grpc-status: 3");
}

TEST_F(BridgeTest, ASlowReaderSlowsTheProducer) {
  RawConnection client = Connect(4096);
  ASSERT_TRUE(client.Write(CallBytes("Watch", WatchOf("flood", 0))));
  ASSERT_TRUE(client.ReadUntil("\r\n\r\n"));
  int64_t before = -1;
  for (int64_t now = watched_.written; now != before; now = watched_.written) {
    before = now;
    for (int i = 0; i < 200; ++i) EXPECT_EQ(Get("/livez").status(), 200);
  }
  EXPECT_LT(before, 2000) << "8 MB of messages that nobody reads";
  client.Close();
  EXPECT_TRUE(watched_.WaitForCancelled(1));
}

TEST_F(BridgeTest, StoppingEndsStreamsAtOnce) {
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(CallBytes("Watch", WatchOf("stays", 0))));
  ASSERT_TRUE(client.ReadUntil("\r\n\r\n"));
  gateway_->Stop(std::chrono::milliseconds(20'000));
  std::string body;
  ASSERT_TRUE(ReadChunks(client, body)) << "a clean end with a reason";
  const auto frames = SplitFrames(body);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].payload.substr(0, 15), "grpc-status: 14");
  EXPECT_TRUE(watched_.WaitForCancelled(1));
}

// A call that is started from outside of gRPC's reactions once crashed under load only.
TEST_F(BridgeTest, ThirtyTwoConnectionsAtOnce) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 32; ++t) {
    threads.emplace_back([this, t, &wrong] {
      RawConnection client = Connect();
      for (int i = 0; i < 30; ++i) {
        const bool stream = (t + i) % 2 == 0;
        client.Write(stream ? CallBytes("Watch", WatchOf("counts", i))
                            : CallBytes("Get", GetOf(std::string(100, 'a'))));
        const auto answer = ReadMessage(client);
        if (!answer || TrailersOf(*answer) != "grpc-status: 0\r\n") ++wrong;
        RawConnection gone = Connect();
        gone.Write(CallBytes("Watch", WatchOf("stays", 3)));
        if (i % 2 == 0) gone.ReadUntil("\r\n\r\n");
        gone.Reset();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace llmd::gateway
