#include "gateway/proxy.h"

#include <future>

#include "gateway/gateway_fixture.h"

namespace llmd::gateway {
namespace {

using nlohmann::json;

class ProxyTest : public GatewayTest {
 protected:
  static bool Echo(RawConnection& connection, const RawMessage& request) {
    return connection.Write(PlainAnswer(200, "application/json", request.body));
  }
  // A server that writes this and ends the connection.
  static FakeModelServer::Handler Once(std::string bytes) {
    return [bytes](RawConnection& connection, const RawMessage&) {
      connection.Write(bytes);
      return false;
    };
  }
};

TEST_F(ProxyTest, PassesABodyByteForByte) {
  Serve(Echo);
  StartGateway();
  const std::string body = "{ \"x\" : [1,2,{\"model\":\"other\"}],\n \"model\":\"acme/tiny\" }";
  const RawMessage answer = Post(kChatPath, body);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.body, body);
  EXPECT_EQ(answer.field("content-type"), "application/json");
}

TEST_F(ProxyTest, RequestIsMadeAnew) {
  Serve(Echo);
  StartGateway();
  const RawMessage answer =
      Post(std::string(kChatPath) + "?secret=1", Chat(),
           {{"Authorization", "Bearer mine"},
            {"Cookie", "a=b"},
            {"Connection", "X-Hop"},
            {"X-Hop", "1"},
            {"X-Forwarded-For", "1.2.3.4"},
            {"Upgrade", "h2c"},
            {"TE", "trailers"},
            {"X-Request-Id", "my-id.1"},
            {"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}});
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.field("x-request-id"), "my-id.1");
  EXPECT_EQ(server_->requests().at(0).head,
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/json\r\nContent-Length: " +
                std::to_string(Chat().size()) +
                "\r\nX-Request-Id: my-id.1\r\n"
                "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n");
}

TEST_F(ProxyTest, OddIdsAreReplaced) {
  Serve(Echo);
  StartGateway();
  for (const std::string& id : {std::string("a b"), std::string(200, 'a'), std::string("<x>")}) {
    const RawMessage answer =
        Post(kChatPath, Chat(), {{"X-Request-Id", id}, {"Traceparent", "00-00-00-00"}});
    EXPECT_EQ(answer.field("x-request-id").size(), 16u) << id;
  }
  EXPECT_EQ(server_->requests().back().field("traceparent"), "");
}

TEST_F(ProxyTest, OnlyListedFieldsComeBack) {
  Serve(
      Once("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=b\r\nServer: x\r\n"
           "Cache-Control: no-store\r\nX-Internal: y\r\nAccess-Control-Allow-Origin: *\r\n"
           "Keep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok"));
  StartGateway();
  const RawMessage answer = Post(kChatPath, Chat());
  EXPECT_EQ(answer.body, "ok");
  EXPECT_EQ(answer.field("cache-control"), "no-store");
  for (const char* name :
       {"set-cookie", "server", "x-internal", "access-control-allow-origin", "keep-alive"}) {
    EXPECT_FALSE(answer.fields.contains(name)) << name;
  }
}

TEST_F(ProxyTest, RewritesTheNameAndDropsTemplates) {
  Serve(Echo);
  serving::Lease::Target target = TargetOf(kModel);
  target.served_name = "real \"name\"";
  router_.Add(target);
  StartGateway();
  const RawMessage answer = Post(
      kChatPath,
      R"({"chat_template":"{{x}}", "model" : "acme\/tiny" ,"a":1, "media_io_kwargs":{"a":[1,2]}})");
  EXPECT_EQ(json::parse(answer.body), (json{{"model", "real \"name\""}, {"a", 1}}));
  EXPECT_EQ(answer.field("x-llmd-dropped"), "chat_template, media_io_kwargs");
}

TEST_F(ProxyTest, ManyRequestsOneConnection) {
  Serve(Echo);
  StartGateway();
  RawConnection connection = Connect();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(connection.Write(PostRequest(kChatPath, Chat(",\"i\":" + std::to_string(i)))));
    const auto answer = ReadMessage(connection);
    ASSERT_TRUE(answer);
    EXPECT_EQ(json::parse(answer->body)["i"], i);
  }
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(ProxyTest, PipelinedRequestsAreAnsweredInOrder) {
  Serve(Echo);
  StartGateway();
  RawConnection connection = Connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += PostRequest(kChatPath, Chat(",\"i\":" + std::to_string(i)));
  ASSERT_TRUE(connection.Write(all));
  for (int i = 0; i < 50; ++i) {
    const auto answer = ReadMessage(connection);
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(json::parse(answer->body)["i"], i);
  }
}

TEST_F(ProxyTest, ChunkedRequestsGetALength) {
  Serve(Echo);
  StartGateway();
  const std::string body = Chat();
  const RawMessage answer =
      Send(Request("POST", kChatPath, "",
                   {{"Content-Type", "application/json"}, {"Transfer-Encoding", "chunked"}}) +
           Chunk(body.substr(0, 5)) + Chunk(body.substr(5)) + "0\r\n\r\n");
  EXPECT_EQ(answer.body, body);
  EXPECT_EQ(server_->requests().at(0).field("transfer-encoding"), "");
}

TEST_F(ProxyTest, LargeBodiesPass) {
  Serve(Echo);
  StartGateway();
  const std::string body =
      "{\"image\":\"" + std::string(6u << 20, 'A') + "\",\"model\":\"acme/tiny\"}";
  const RawMessage answer = Post(kChatPath, body);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_TRUE(answer.body == body);
  EXPECT_EQ(CodeOf(Post(kChatPath, body + "x")), "invalid_json");
}

TEST_F(ProxyTest, ExpectIsAnsweredBeforeTheBody) {
  Serve(Echo);
  StartGateway();
  RawConnection connection = Connect();
  const std::string body = Chat();
  ASSERT_TRUE(connection.Write(Request("POST", kChatPath, "",
                                       {{"Content-Type", "application/json"},
                                        {"Content-Length", std::to_string(body.size())},
                                        {"Expect", "100-continue"}})));
  EXPECT_EQ(connection.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(connection.Write(body));
  EXPECT_EQ(ReadMessage(connection)->body, body);
}

TEST_F(ProxyTest, AnswersTypedErrors) {
  Serve(Echo);
  StartGateway();
  router_.FailAcquire("acme/big", MakeStatus(StatusCode::kResourceExhausted, "needs 9 GB",
                                             {.code = "does_not_fit", .next_step = "Stop one."}));
  const struct {
    const char* path;
    std::string body;
    int status;
    const char* code;
  } kCases[] = {
      {kChatPath, Chat("", "acme/none"), 404, "model_not_found"},
      {kChatPath, Chat("", "acme/big"), 503, "does_not_fit"},
      {kChatPath, "{}", 400, "model_missing"},
      {kChatPath, "[]", 400, "invalid_json"},
      {kChatPath, "{\"model\":\"acme/tiny\"", 400, "invalid_json"},
      {kChatPath, "{\"model\":7}", 400, "invalid_model_name"},
      {kChatPath, "{\"model\":\"a\\u0000b\"}", 400, "invalid_model_name"},
      {kChatPath, "{\"model\":\"acme/tiny\",\"model\":\"acme/none\"}", 400, "duplicate_key"},
      {kChatPath, "{\"mod\\u0065l\":\"acme/tiny\"}", 400, "invalid_json"},
      {kChatPath, Chat(",\"n\":17"), 400, "parameter_too_large"},
      {kChatPath, Chat(",\"n\":\"1000\""), 400, "parameter_too_large"},
      {kChatPath, Chat(",\"best_of\":1e9"), 400, "parameter_too_large"},
      {"/v1/embeddings", Chat(), 404, "route_not_supported"},
      {"/v1/../api/x", Chat(), 404, "unknown_route"},
  };
  for (const auto& test : kCases) {
    const RawMessage answer = Post(test.path, test.body);
    EXPECT_EQ(answer.status(), test.status) << test.body;
    EXPECT_EQ(CodeOf(answer), test.code) << test.body;
    EXPECT_EQ(answer.field("content-type"), "application/json");
    EXPECT_FALSE(answer.field("x-request-id").empty());
  }
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(ProxyTest, RetellsTheServersErrors) {
  Serve(Once(PlainAnswer(400, "application/json",
                         R"({"error":{"message":"too long: see /usr/lib/x/y.py","code":400,)"
                         R"("type":"exceed_context_size_error"}})")));
  StartGateway();
  const RawMessage answer = Post(kChatPath, Chat());
  EXPECT_EQ(answer.status(), 400);
  EXPECT_EQ(CodeOf(answer), "exceed_context_size_error");
  EXPECT_EQ(json::parse(answer.body)["error"]["message"], "too long: see (a path)");
}

TEST_F(ProxyTest, ServerErrorsShowNoTrace) {
  Serve(Once(PlainAnswer(500, "text/html", "<pre>Traceback\n File \"/home/u/x.py\"</pre>")));
  StartGateway();
  const RawMessage answer = Post(kChatPath, Chat());
  EXPECT_EQ(answer.status(), 500);
  EXPECT_EQ(CodeOf(answer), "model_server_error");
  EXPECT_EQ(answer.body.find("/home"), std::string::npos);
}

TEST_F(ProxyTest, RedirectsAreNotFollowedNorPassed) {
  Serve(Once("HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n"));
  StartGateway();
  const RawMessage answer = Post(kChatPath, Chat());
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(CodeOf(answer), "bad_answer");
  EXPECT_FALSE(answer.fields.contains("location"));
}

TEST_F(ProxyTest, AServerThatEndsBeforeItAnswers) {
  Serve(Once(""));
  StartGateway();
  const RawMessage answer = Post(kChatPath, Chat());
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(CodeOf(answer), "upstream_crashed");
}

TEST_F(ProxyTest, AServerThatIsNotThere) {
  Serve(Echo);
  serving::Lease::Target target = TargetOf(kModel);
  target.endpoint = "unix:///nowhere/api.sock";
  router_.Add(target);
  StartGateway();
  EXPECT_EQ(CodeOf(Post(kChatPath, Chat())), "upstream_crashed");
}

TEST_F(ProxyTest, AServerThatEndsInItsAnswer) {
  Serve(Once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
  StartGateway();
  const RawMessage answer = Post(kChatPath, Chat());
  EXPECT_EQ(answer.status(), 200);
  EXPECT_FALSE(answer.complete);
}

TEST_F(ProxyTest, AServerThatEndsInItsStream) {
  Serve(Once(std::string(testing::kStreamHead) + Chunk("data: {\"i\":1}\n\n")));
  StartGateway();
  const RawMessage answer = Post(kChatPath, Chat(",\"stream\":true"));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.field("content-type"), "text/event-stream");
  EXPECT_FALSE(answer.complete) << "a broken stream must not look whole";
  EXPECT_EQ(answer.body.find("data: {\"i\":1}\n\ndata: {\"error\":"), 0u) << answer.body;
  EXPECT_NE(answer.body.find("upstream_crashed"), std::string::npos);
  EXPECT_EQ(answer.body.find("[DONE]"), std::string::npos);
}

TEST_F(ProxyTest, AStreamThatEndsWithinAnEvent) {
  Serve(Once(std::string(testing::kStreamHead) + Chunk("data: {\"i\"")));
  StartGateway();
  const RawMessage answer = Post(kChatPath, Chat(",\"stream\":true"));
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.body.find("data: {\"i\"\n\ndata: {\"error\":"), 0u) << answer.body;
}

TEST_F(ProxyTest, ReplacesAConnectionThatWasClosedMeanwhile) {
  std::atomic<int> asked{0};
  Serve([&](RawConnection& connection, const RawMessage& request) {
    if (++asked == 2) return false;
    return Echo(connection, request);
  });
  StartGateway();
  EXPECT_EQ(Post(kChatPath, Chat()).status(), 200);
  EXPECT_EQ(Post(kChatPath, Chat()).status(), 200);
  EXPECT_EQ(asked, 3);
}

TEST_F(ProxyTest, EveryEventIsFlushed) {
  std::promise<void> seen;
  auto first_seen = seen.get_future().share();
  Serve([first_seen](RawConnection& connection, const RawMessage&) {
    connection.Write(std::string(testing::kStreamHead) + Chunk("data: 1\n\n"));
    first_seen.wait();
    return connection.Write(Chunk("data: [DONE]\n\n") + "0\r\n\r\n");
  });
  StartGateway();
  RawConnection connection = Connect();
  connection.Write(PostRequest(kChatPath, Chat(",\"stream\":true")));
  EXPECT_TRUE(connection.ReadUntil("data: 1\n\n"));
  seen.set_value();
  EXPECT_TRUE(connection.ReadUntil("data: [DONE]\n\n\r\n0\r\n\r\n"));
}

TEST_F(ProxyTest, TheStreamsHeadDoesNotWaitForItsFirstEvent) {
  std::promise<void> seen;
  auto head_seen = seen.get_future().share();
  Serve([head_seen](RawConnection& connection, const RawMessage&) {
    connection.Write(testing::kStreamHead);
    head_seen.wait();
    return connection.Write(Chunk("data: 1\n\n") + "0\r\n\r\n");
  });
  StartGateway();
  RawConnection connection = Connect();
  connection.Write(PostRequest(kChatPath, Chat(",\"stream\":true")));
  EXPECT_TRUE(connection.ReadUntil("\r\n\r\n"));
  seen.set_value();
  EXPECT_TRUE(connection.ReadUntil("0\r\n\r\n"));
}

TEST_F(ProxyTest, OldClientsGetAnUnchunkedAnswer) {
  Serve([](RawConnection& connection, const RawMessage&) {
    return connection.Write(std::string(testing::kStreamHead) + Chunk("data: 1\n\n") +
                            Chunk("data: 2\n\n") + "0\r\n\r\n");
  });
  StartGateway();
  RawConnection connection = Connect();
  const std::string body = Chat();
  connection.Write("POST /v1/chat/completions HTTP/1.0\r\nHost: " + host() +
                   "\r\nContent-Type: application/json\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string answer = connection.ReadToEnd();
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(answer.substr(answer.size() - 18), "data: 1\n\ndata: 2\n\n");
}

TEST_F(ProxyTest, CountsRequestsUnderBoundedLabels) {
  Serve(Echo);
  StartGateway();
  Post(kChatPath, Chat());
  for (int i = 0; i < 50; ++i) Post(kChatPath, Chat("", "random/" + std::to_string(i)));
  Post("/v1/made/up", Chat());
  Get("/livez");  // a request is counted before the next one is answered
  EXPECT_EQ(Metric(R"(llmd_requests_total{api="chat_completions",code="200",model="acme/tiny"})"),
            1);
  EXPECT_EQ(Metric(R"(llmd_requests_total{api="chat_completions",code="404",model="other"})"), 50);
  EXPECT_EQ(Metric(R"(llmd_requests_total{api="other",code="404",model="acme/tiny"})"), 1);
  EXPECT_EQ(metrics_.Render().find("random/"), std::string::npos);
  EXPECT_EQ(Metric(R"(llmd_requests_in_flight{model="acme/tiny"})"), 0);
}

}  // namespace
}  // namespace llmd::gateway
