// Every limit: the status it gives, and that the gateway goes on.
#include <thread>

#include "gateway/gateway_fixture.h"
#include "support/temp_folder.h"

namespace llmd::gateway {
namespace {

class LimitsTest : public GatewayTest {
 protected:
  void ServeEcho() {
    Serve([](RawConnection& connection, const RawMessage& request) {
      return connection.Write(PlainAnswer(200, "application/json", request.body));
    });
  }
  static std::string Form(const std::string& boundary, const std::string& file,
                          const std::string& model) {
    return "--" + boundary +
           "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n"
           "Content-Type: audio/wav\r\n\r\n" +
           file + "\r\n--" + boundary +
           "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + model + "\r\n--" +
           boundary + "--\r\n";
  }
};

TEST_F(LimitsTest, Heads) {
  StartGateway();
  const RawMessage large = Get("/livez", {{"X-Large", std::string(70'000, 'a')}});
  EXPECT_EQ(large.status(), 431);
  EXPECT_EQ(CodeOf(large), "head_too_large");
  Fields many;
  for (int i = 0; i < 120; ++i) many.emplace_back("X-" + std::to_string(i), "1");
  EXPECT_EQ(Get("/livez", many).status(), 431);
  EXPECT_EQ(Get("/livez").status(), 200);
}

TEST_F(LimitsTest, ABodyThatSaysItIsTooLarge) {
  ServeEcho();
  options_.limits.json_bytes = 1000;
  StartGateway();
  RawConnection client = Connect();
  ASSERT_TRUE(client.Write("POST /v1/chat/completions HTTP/1.1\r\nHost: " + host() +
                           "\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n"));
  const auto answer = ReadMessage(client);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 413);
  EXPECT_EQ(CodeOf(*answer), "body_too_large");
  EXPECT_EQ(answer->field("connection"), "close");
  client.FinishWriting();
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_F(LimitsTest, AChunkedBodyThatGrowsTooLarge) {
  ServeEcho();
  options_.limits.json_bytes = 1000;
  StartGateway();
  RawConnection client = Connect();
  client.Write(Request("POST", kChatPath, "",
                       {{"Content-Type", "application/json"}, {"Transfer-Encoding", "chunked"}}) +
               Chunk(std::string(600, ' ')) + Chunk(std::string(600, ' ')));
  const auto answer = ReadMessage(client);
  ASSERT_TRUE(answer);
  EXPECT_EQ(CodeOf(*answer), "body_too_large");
}

TEST_F(LimitsTest, ARefusalReachesAClientThatIsStillSending) {
  ServeEcho();
  options_.limits.json_bytes = 1000;
  StartGateway();
  RawConnection client = Connect();
  std::thread writer([&] {
    client.Write("POST /v1/chat/completions HTTP/1.1\r\nHost: " + host() +
                 "\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n" +
                 std::string(2'000'000, 'x'));
  });
  const auto answer = ReadMessage(client);
  writer.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 413);
}

TEST_F(LimitsTest, BodiesOfAllRequestsTogether) {
  ServeEcho();
  options_.limits.buffered_bytes = 2u << 20;
  StartGateway();
  const std::string head = "POST /v1/chat/completions HTTP/1.1\r\nHost: " + host() +
                           "\r\nContent-Type: application/json\r\nContent-Length: 1500000\r\n\r\n";
  RawConnection first = Connect();
  ASSERT_TRUE(first.Write(head + "{" + std::string(1'400'000, ' ')));
  RawConnection second = Connect();
  ASSERT_TRUE(second.Write(head + "{" + std::string(1'400'000, ' ')));
  // One of them comes too late and is told so; what it held is free for the other.
  pollfd waiting[] = {{.fd = first.fd(), .events = POLLIN, .revents = 0},
                      {.fd = second.fd(), .events = POLLIN, .revents = 0}};
  ASSERT_EQ(::poll(waiting, 2, 20'000), 1);
  const bool first_refused = waiting[0].revents != 0;
  const auto refused = ReadMessage(first_refused ? first : second);
  ASSERT_TRUE(refused);
  EXPECT_EQ(CodeOf(*refused), "too_busy");
  EXPECT_EQ(refused->field("retry-after"), "1");
  RawConnection& other = first_refused ? second : first;
  EXPECT_TRUE(other.Write(std::string(99'999, ' ')));
  const auto answer = ReadMessage(other);
  ASSERT_TRUE(answer);
  EXPECT_EQ(CodeOf(*answer), "invalid_json") << "it was read to its end";
  EXPECT_EQ(Post(kChatPath, Chat()).status(), 200);
}

TEST_F(LimitsTest, SlowHeadsAndBodies) {
  ServeEcho();
  options_.limits.head = std::chrono::milliseconds(100);
  options_.limits.body = std::chrono::milliseconds(100);
  options_.limits.idle = std::chrono::milliseconds(100);
  StartGateway();
  RawConnection slow_head = Connect();
  ASSERT_TRUE(slow_head.Write("GET /livez HTTP/1.1\r\n"));
  RawConnection slow_body = Connect();
  ASSERT_TRUE(slow_body.Write("POST /v1/chat/completions HTTP/1.1\r\nHost: " + host() +
                              "\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"));
  RawConnection silent = Connect();
  for (RawConnection* client : {&slow_head, &slow_body}) {
    const auto answer = ReadMessage(*client);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status(), 408);
    EXPECT_EQ(CodeOf(*answer), "request_timeout");
  }
  EXPECT_TRUE(silent.WaitForEnd());
}

TEST_F(LimitsTest, Connections) {
  options_.limits.connections = 3;
  StartGateway();
  std::vector<RawConnection> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Connect());
    ASSERT_TRUE(clients.back().Write(Request("GET", "/livez", "")));
    ASSERT_TRUE(ReadMessage(clients.back()));
  }
  RawConnection fourth = Connect();
  const auto answer = ReadMessage(fourth);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 503);
  EXPECT_EQ(CodeOf(*answer), "too_busy");
  clients.clear();
  // The three are gone once the gateway has seen it.
  for (bool served = false; !served;) {
    RawConnection next = Connect();
    next.Write(Request("GET", "/livez", ""));
    const auto again = ReadMessage(next);
    served = again && again->status() == 200;
  }
}

TEST_F(LimitsTest, FormsGoThroughAFileAndAreRewritten) {
  const testing::TempFolder folder;
  options_.spill_folder = folder.path();
  options_.limits.spill_above_bytes = 64u << 10;
  Serve([](RawConnection& connection, const RawMessage& request) {
    return connection.Write(
        PlainAnswer(200, "application/json", std::to_string(request.body.size())));
  });
  serving::Lease::Target target = TargetOf(kModel);
  target.routes = {"POST /v1/audio/transcriptions"};
  target.served_name = "another/name";
  router_.Add(target);
  StartGateway();
  std::string file;
  for (int i = 0; i < 300'000; ++i) file += std::to_string(i) + "\r\n-";
  for (const std::string& content : {std::string("short"), file}) {
    const RawMessage answer =
        Send(Request("POST", "/v1/audio/transcriptions", Form("b0undary", content, kModel),
                     {{"Content-Type", "multipart/form-data; boundary=b0undary"}}));
    EXPECT_EQ(answer.status(), 200) << answer.body;
    const RawMessage upstream = server_->requests().back();
    EXPECT_TRUE(upstream.body == Form("b0undary", content, "another/name"));
    EXPECT_EQ(upstream.field("content-type"), "multipart/form-data; boundary=b0undary");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(LimitsTest, AFormsSpilledRequestIsRepeatedWhole) {
  options_.limits.spill_above_bytes = 1000;
  std::atomic<int> asked{0};
  Serve([&](RawConnection& connection, const RawMessage&) {
    if (++asked == 2) return false;
    return connection.Write(PlainAnswer(200, "application/json", "{}"));
  });
  serving::Lease::Target target = TargetOf(kModel);
  target.routes = {"POST /v1/audio/transcriptions"};
  router_.Add(target);
  StartGateway();
  const std::string form = Form("b", std::string(500'000, 'x'), kModel);
  const std::string request = Request("POST", "/v1/audio/transcriptions", form,
                                      {{"Content-Type", "multipart/form-data; boundary=b"}});
  EXPECT_EQ(Send(request).status(), 200);
  EXPECT_EQ(Send(request).status(), 200);
  ASSERT_EQ(server_->requests().size(), 3u);
  EXPECT_TRUE(server_->requests().back().body == form);
}

}  // namespace
}  // namespace llmd::gateway
