// Requests that two programs could read in two ways, over a real socket: each is refused, and
// nothing of it reaches a model server.
#include "gateway/gateway_fixture.h"

namespace llmd::gateway {
namespace {

class SmugglingTest : public GatewayTest {
 protected:
  void SetUp() override {
    Serve([](RawConnection& connection, const RawMessage& request) {
      return connection.Write(PlainAnswer(200, "application/json", request.body));
    });
    StartGateway();
  }
  std::string Head(const std::string& lines) const {
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: " + host() +
           "\r\nContent-Type: application/json\r\n" + lines + "\r\n";
  }
  // Everything the gateway says until it hangs up.
  std::string Everything(const std::string& bytes) const {
    RawConnection connection = Connect();
    connection.Write(bytes);
    connection.FinishWriting();
    return connection.ReadToEnd();
  }
};

TEST_F(SmugglingTest, AmbiguousBodies) {
  const std::string inner = PostRequest(kChatPath, Chat());
  const std::string kRequests[] = {
      Head("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n" + inner,
      Head("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n") + "0\r\n\r\n" + inner,
      Head("Content-Length: 0\r\nContent-Length: " + std::to_string(inner.size()) + "\r\n") + inner,
      Head("Content-Length: 0, 0\r\n") + inner,
      Head("Transfer-Encoding: identity\r\n") + inner,
      Head("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n") + "0\r\n\r\n" + inner,
      Head("Transfer-Encoding:\x0b"
           "chunked\r\n") +
          "0\r\n\r\n" + inner,
      Head("Transfer-Encoding: chunked\r\n X: y\r\n") + "0\r\n\r\n" + inner,
      Head("Transfer-Encoding : chunked\r\n") + "0\r\n\r\n" + inner,
      Head("Transfer-Encoding: chunked\r\n") + "0_2\r\n\r\n" + inner,
      Head("Transfer-Encoding: chunked\r\n") + "-1\r\n\r\n" + inner,
      Head("Transfer-Encoding: chunked\r\n") + "0\n\n" + inner,
      Head("Transfer-Encoding: chunked\r\n") + "5\r\nhelloXX0\r\n\r\n" + inner,
      Head("Transfer-Encoding: chunked\r\n") + "ffffffffffffffff1\r\n" + inner,
      "POST http://" + host() + "/v1/chat/completions HTTP/1.1\r\nHost: " + host() + "\r\n\r\n" +
          inner,
      "POST /v1/chat/completions HTTP/1.1\r\nHost: " + host() + "\r\nHost: evil.example\r\n\r\n" +
          inner,
      "POST /v1/chat/completions HTTP/1.1\nHost: " + host() + "\n\n" + inner,
      "GET /v1/models HTTP/1.1\r\nHost: " + host() +
          "\r\nContent-Length: " + std::to_string(inner.size()) + "\r\n\r\n" + inner,
  };
  for (const std::string& request : kRequests) {
    const std::string answer = Everything(request);
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 400") << request << "\n->\n" << answer;
    EXPECT_EQ(answer.find("HTTP/1.1", 12), std::string::npos) << "a second answer: " << answer;
  }
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(SmugglingTest, OnlyListedRoutesReachAServer) {
  const char* const kTargets[] = {
      "/v1/internal",
      "/v1/chat/completions/",
      "/v1//chat/completions",
      "//v1/chat/completions",
      "/v1/./chat/completions",
      "/v1/x/../chat/completions",
      "/v1/%63hat/completions",
      "/v1/chat%2fcompletions",
      "/v1/chat/completions;x=1",
      "/v1/%2e%2e/slots",
      "/v1/%252e%252e/slots",
      "/V1/chat/completions",
      "/v1/chat/completions%00",
      "/slots",
      "/props",
      "/health",
      "/v1/chat\\completions",
      "/v1/chat/completions%20",
      "/v1/.hidden",
      "/v1/load_lora",
      "/pause",
      "/invocations",
      "/v1",
      "/v1/",
  };
  for (const char* target : kTargets) {
    const RawMessage answer = Post(target, Chat());
    EXPECT_TRUE(answer.status() == 404 || answer.status() == 405 || answer.status() == 400)
        << target << " " << answer.status();
  }
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(SmugglingTest, OtherMethodsAreRefused) {
  for (const char* method : {"PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "PROPFIND"}) {
    for (const char* target : {"/v1/chat/completions", "/v1/models", "/", "/llmd.v1.System/Info"}) {
      const RawMessage answer = Send(Request(method, target, ""));
      EXPECT_TRUE(answer.status() == 405 || answer.status() == 400) << method << " " << target;
    }
  }
}

}  // namespace
}  // namespace llmd::gateway
