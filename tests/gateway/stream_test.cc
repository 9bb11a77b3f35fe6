// Streams under bad conditions: clients that go, clients that stall, many at once, llmd ending.
#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "gateway/gateway_fixture.h"

namespace llmd::gateway {
namespace {

class StreamTest : public GatewayTest {
 protected:
  // Streams an event, then waits for the gateway to hang up.
  FakeModelServer::Handler UntilGone() {
    return [this](RawConnection& connection, const RawMessage&) {
      connection.Write(std::string(testing::kStreamHead) + Chunk("data: 1\n\n"));
      if (connection.WaitForEnd()) server_->CountGone();
      return false;
    };
  }
  std::string StreamRequest() const { return PostRequest(kChatPath, Chat(",\"stream\":true")); }
};

TEST_F(StreamTest, ClientGoneMeansServerCancelled) {
  Serve(UntilGone());
  StartGateway();
  std::vector<RawConnection> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(Connect());
    ASSERT_TRUE(clients.back().Write(StreamRequest()));
    ASSERT_TRUE(clients.back().ReadUntil("data: 1\n\n"));
  }
  for (RawConnection& client : clients) client.Close();
  EXPECT_TRUE(server_->WaitForGone(30));
  EXPECT_TRUE(router_.WaitForNoLeases());
}

TEST_F(StreamTest, AResetIsNoticedToo) {
  Serve(UntilGone());
  StartGateway();
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(StreamRequest()));
  ASSERT_TRUE(client.ReadUntil("data: 1\n\n"));
  client.Reset();
  EXPECT_TRUE(server_->WaitForGone(1));
}

TEST_F(StreamTest, ClientGoneBeforeTheServerAnswers) {
  Serve([this](RawConnection& connection, const RawMessage&) {
    if (connection.WaitForEnd()) server_->CountGone();
    return false;
  });
  StartGateway();
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(StreamRequest()));
  ASSERT_TRUE(server_->WaitForRequests(1));
  client.Close();
  EXPECT_TRUE(server_->WaitForGone(1));
  EXPECT_TRUE(router_.WaitForNoLeases());
}

TEST_F(StreamTest, ClientGoneThoughItHasSentMore) {
  Serve(UntilGone());
  StartGateway();
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(StreamRequest() + Request("GET", "/livez", "")));
  ASSERT_TRUE(client.ReadUntil("data: 1\n\n"));
  client.Close();
  EXPECT_TRUE(server_->WaitForGone(1));
}

TEST_F(StreamTest, ClientGoneWhileTheModelLoads) {
  Serve(UntilGone());
  router_.HoldBack(kModel);
  StartGateway();
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(StreamRequest()));
  ASSERT_TRUE(router_.WaitForWaiters(kModel, 1));
  client.Close();
  EXPECT_TRUE(router_.WaitForCancelled(1));
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(StreamTest, ManyWaitForOneModel) {
  Serve([](RawConnection& connection, const RawMessage& request) {
    return connection.Write(PlainAnswer(200, "application/json", request.body));
  });
  router_.HoldBack(kModel);
  StartGateway();
  std::vector<RawConnection> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(Connect());
    ASSERT_TRUE(clients.back().Write(PostRequest(kChatPath, Chat())));
  }
  ASSERT_TRUE(router_.WaitForWaiters(kModel, 20));
  EXPECT_EQ(Get("/livez").status(), 200) << "waiting must not block the io thread";
  std::thread finisher([this] { router_.Finish(kModel); });
  for (RawConnection& client : clients) EXPECT_EQ(ReadMessage(client)->status(), 200);
  finisher.join();
}

TEST_F(StreamTest, AModelThatLoadsForTooLong) {
  Serve(UntilGone());
  router_.HoldBack(kModel);
  options_.limits.load = std::chrono::milliseconds(50);
  StartGateway();
  const RawMessage answer = Post(kChatPath, Chat());
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(CodeOf(answer), "model_loading");
  EXPECT_EQ(answer.field("retry-after"), "5");
}

TEST_F(StreamTest, AServerThatFailsToStart) {
  Serve(UntilGone());
  router_.HoldBack(kModel);
  StartGateway();
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(StreamRequest()));
  ASSERT_TRUE(router_.WaitForWaiters(kModel, 1));
  router_.Finish(kModel, MakeStatus(StatusCode::kUnavailable, "it exited with 23",
                                    {.code = "server_failed", .next_step = "Look."}));
  const auto answer = ReadMessage(client);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 503);
  EXPECT_EQ(CodeOf(*answer), "server_failed");
}

TEST_F(StreamTest, TwoHundredStreamsAtOnceLoseNothing) {
  constexpr int kStreams = 200;
  constexpr int kEvents = 50;
  Serve([](RawConnection& connection, const RawMessage&) {
    std::string text = testing::kStreamHead;
    for (int i = 0; i < kEvents; ++i) {
      if (!connection.Write(text + Chunk("data: " + std::to_string(i) + "\n\n"))) return false;
      text.clear();
    }
    return connection.Write(Chunk("data: [DONE]\n\n") + "0\r\n\r\n");
  });
  StartGateway();
  std::string expected;
  for (int i = 0; i < kEvents; ++i) expected += "data: " + std::to_string(i) + "\n\n";
  expected += "data: [DONE]\n\n";
  std::vector<RawConnection> clients;
  for (int i = 0; i < kStreams; ++i) {
    clients.push_back(Connect());
    ASSERT_TRUE(clients.back().Write(StreamRequest()));
  }
  for (RawConnection& client : clients) {
    const auto answer = ReadMessage(client);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->complete);
    EXPECT_EQ(answer->body, expected);
  }
}

// The server may write as much as the kernel takes for a client that reads nothing, and no more.
TEST_F(StreamTest, AStalledReaderStopsItsServerAndNobodyElse) {
  std::atomic<size_t> written{0};
  Serve([&](RawConnection& connection, const RawMessage& request) {
    if (request.body.find("\"flood\"") == std::string::npos) {
      return connection.Write(PlainAnswer(200, "application/json", "{}"));
    }
    connection.Write(testing::kStreamHead);
    const std::string chunk = Chunk("data: " + std::string(4000, 'x') + "\n\n");
    while (connection.Write(chunk)) written += chunk.size();
    server_->CountGone();
    return false;
  });
  StartGateway();
  std::vector<RawConnection> stalled;
  for (int i = 0; i < 10; ++i) {
    stalled.push_back(Connect(4096));
    ASSERT_TRUE(stalled.back().Write(PostRequest(kChatPath, Chat(",\"flood\":1"))));
    ASSERT_TRUE(stalled.back().ReadUntil("data: "));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Post(kChatPath, Chat()).status(), 200);
  // Long after the sockets have filled up the total stands still: it is bounded per client.
  size_t before = 0;
  for (size_t now = written; now != before; now = written) {
    before = now;
    for (int i = 0; i < 50; ++i) EXPECT_EQ(Post(kChatPath, Chat()).status(), 200);
  }
  EXPECT_LT(written, 10 * (1u << 20));
  for (RawConnection& client : stalled) client.Close();
  EXPECT_TRUE(server_->WaitForGone(10));
}

TEST_F(StreamTest, AClientThatNeverReadsIsGivenUp) {
  options_.limits.write = std::chrono::milliseconds(200);
  Serve([&](RawConnection& connection, const RawMessage&) {
    connection.Write(testing::kStreamHead);
    const std::string chunk = Chunk(std::string(32000, 'x'));
    while (connection.Write(chunk)) continue;
    server_->CountGone();
    return false;
  });
  StartGateway();
  RawConnection client = Connect(4096);
  ASSERT_TRUE(client.Write(StreamRequest()));
  EXPECT_TRUE(server_->WaitForGone(1));
  EXPECT_TRUE(router_.WaitForNoLeases());
}

TEST_F(StreamTest, StoppingLetsRequestsFinish) {
  std::promise<void> stopping;
  auto stopped = stopping.get_future().share();
  Serve([stopped](RawConnection& connection, const RawMessage&) {
    connection.Write(std::string(testing::kStreamHead) + Chunk("data: 1\n\n"));
    stopped.wait();
    return connection.Write(Chunk("data: [DONE]\n\n") + "0\r\n\r\n");
  });
  StartGateway();
  RawConnection idle = Connect();
  ASSERT_TRUE(idle.Write(Request("GET", "/livez", "")));
  ASSERT_TRUE(ReadMessage(idle));
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(StreamRequest()));
  ASSERT_TRUE(client.ReadUntil("data: 1\n\n"));
  std::thread stopper([this] { gateway_->Stop(std::chrono::milliseconds(20'000)); });
  EXPECT_TRUE(idle.WaitForEnd()) << "idle connections close at once";
  EXPECT_FALSE(Connect().valid()) << "nobody is let in";
  stopping.set_value();
  EXPECT_TRUE(client.ReadUntil("data: [DONE]\n\n\r\n0\r\n\r\n"));
  EXPECT_TRUE(client.WaitForEnd());
  stopper.join();
}

TEST_F(StreamTest, StoppingEndsWhatTakesTooLong) {
  Serve(UntilGone());
  StartGateway();
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(StreamRequest()));
  ASSERT_TRUE(client.ReadUntil("data: 1\n\n"));
  gateway_->Stop(std::chrono::milliseconds(10));
  const std::string rest = client.ReadToEnd();
  EXPECT_NE(rest.find("\"shutting_down\""), std::string::npos) << rest;
  EXPECT_EQ(rest.find("0\r\n\r\n"), std::string::npos) << "no clean end";
  EXPECT_TRUE(server_->WaitForGone(1));
}

TEST_F(StreamTest, StoppingWhileAModelLoads) {
  Serve(UntilGone());
  router_.HoldBack(kModel);
  StartGateway();
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write(StreamRequest()));
  ASSERT_TRUE(router_.WaitForWaiters(kModel, 1));
  gateway_->Stop(std::chrono::milliseconds(10));
  const auto answer = ReadMessage(client);
  ASSERT_TRUE(answer);
  EXPECT_EQ(CodeOf(*answer), "shutting_down");
}

}  // namespace
}  // namespace llmd::gateway
