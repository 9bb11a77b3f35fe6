#include "gateway/generate.h"

#include "gateway/gateway_fixture.h"

namespace llmd::gateway {
namespace {

using nlohmann::json;

class GenerateTest : public GatewayTest {
 protected:
  // Answers as a chat server does.
  static bool ChatServer(RawConnection& connection, const RawMessage& request) {
    const json body = json::parse(request.body);
    if (!body.value("stream", false)) {
      return connection.Write(PlainAnswer(
          200, "application/json",
          R"({"choices":[{"message":{"content":"Par\u00e9is"},"finish_reason":"length"}],)"
          R"("usage":{"prompt_tokens":5,"completion_tokens":2}})"));
    }
    std::string events = testing::kStreamHead;
    events += Chunk("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n");
    events += Chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Pa\"}}]}\n\ndata: {\"cho");
    events += Chunk("ices\":[{\"delta\":{\"content\":\"ris\"}}]}\n\n");
    events += Chunk("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
    events += Chunk("data: [DONE]\n\n");
    return connection.Write(events + "0\r\n\r\n");
  }
  static std::vector<json> Lines(const std::string& body) {
    std::vector<json> lines;
    size_t at = 0;
    for (size_t end; (end = body.find('\n', at)) != std::string::npos; at = end + 1) {
      lines.push_back(json::parse(body.substr(at, end - at)));
    }
    EXPECT_EQ(at, body.size());
    return lines;
  }
};

TEST_F(GenerateTest, OneObject) {
  Serve(ChatServer);
  StartGateway();
  const RawMessage answer = Post(
      "/api/generate",
      R"({"model":"acme/tiny","prompt":"a \"quoted\" \u00e9","system":"Be brief.","temperature":0,)"
      R"("max_tokens":24,"options":{"temperature":1,"seed":7,"num_predict":5,"num_ctx":512}})");
  EXPECT_EQ(answer.status(), 200) << answer.body;
  const json body = json::parse(answer.body);
  EXPECT_EQ(body["text"], "Par\xc3\xa9is");
  EXPECT_EQ(body["response"], body["text"]);
  EXPECT_EQ(body["done"], true);
  EXPECT_EQ(body["done_reason"], "length");
  EXPECT_EQ(body["eval_count"], 2);
  EXPECT_EQ(body["model"], "acme/tiny");
  const RawMessage request = server_->requests().at(0);
  EXPECT_EQ(request.first_line(), "POST /v1/chat/completions HTTP/1.1");
  EXPECT_EQ(json::parse(request.body),
            json::parse(R"({"model":"acme/tiny","stream":false,"temperature":0,"max_tokens":24,
              "seed":7,"messages":[{"role":"system","content":"Be brief."},
                                   {"role":"user","content":"a \"quoted\" \u00e9"}]})"));
}

TEST_F(GenerateTest, LinesAsTheyCome) {
  Serve(ChatServer);
  StartGateway();
  const RawMessage answer =
      Post("/api/generate", R"({"model":"acme/tiny","prompt":"x","stream":true})");
  EXPECT_EQ(answer.field("content-type"), "application/x-ndjson");
  EXPECT_TRUE(answer.complete);
  const std::vector<json> lines = Lines(answer.body);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["response"], "Pa");
  EXPECT_EQ(lines[1]["text"], "ris");
  EXPECT_EQ(lines[0]["done"], false);
  EXPECT_EQ(lines[2]["done"], true);
  EXPECT_EQ(lines[2]["response"], "");
  EXPECT_EQ(lines[2]["done_reason"], "stop");
}

TEST_F(GenerateTest, RawPromptsAreCompletions) {
  Serve([](RawConnection& connection, const RawMessage&) {
    return connection.Write(PlainAnswer(200, "application/json",
                                        R"({"choices":[{"text":"42","finish_reason":"stop"}]})"));
  });
  StartGateway();
  const RawMessage answer =
      Post("/api/generate", R"({"model":"acme/tiny","prompt":"x","raw":true})");
  EXPECT_EQ(json::parse(answer.body)["text"], "42");
  const RawMessage request = server_->requests().at(0);
  EXPECT_EQ(request.first_line(), "POST /v1/completions HTTP/1.1");
  EXPECT_EQ(json::parse(request.body)["prompt"], "x");
}

TEST_F(GenerateTest, AServersOwnRouteIsUsed) {
  Serve([](RawConnection& connection, const RawMessage& request) {
    return connection.Write(PlainAnswer(200, "application/json", request.body));
  });
  serving::Lease::Target target = TargetOf(kModel);
  target.routes.push_back("POST /api/generate");
  target.served_name = "own";
  router_.Add(target);
  StartGateway();
  const RawMessage answer = Post("/api/generate", R"({"model":"acme/tiny","prompt":"x"})");
  EXPECT_EQ(json::parse(answer.body), (json{{"model", "own"}, {"prompt", "x"}}));
  EXPECT_EQ(server_->requests().at(0).first_line(), "POST /api/generate HTTP/1.1");
}

TEST_F(GenerateTest, BrokenStreamsLookBroken) {
  Serve([](RawConnection& connection, const RawMessage& request) {
    std::string events = std::string(testing::kStreamHead) +
                         Chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Pa\"}}]}\n\n");
    // Cut off, or ended as if it were whole.
    if (request.body.find("cleanly") != std::string::npos) events += "0\r\n\r\n";
    connection.Write(events);
    return false;
  });
  StartGateway();
  for (const char* prompt : {"cut", "cleanly"}) {
    const RawMessage answer =
        Post("/api/generate", json{{"model", kModel}, {"prompt", prompt}, {"stream", true}}.dump());
    EXPECT_FALSE(answer.complete) << prompt;
    const std::vector<json> lines = Lines(answer.body);
    ASSERT_EQ(lines.size(), 2u) << prompt;
    EXPECT_EQ(lines[1]["error"]["code"], "upstream_crashed");
  }
}

TEST_F(GenerateTest, ErrorsInAStream) {
  Serve([](RawConnection& connection, const RawMessage&) {
    return connection.Write(std::string(testing::kStreamHead) +
                            Chunk("data: {\"error\":{\"message\":\"too long\"}}\n\n") +
                            "0\r\n\r\n");
  });
  StartGateway();
  const RawMessage answer =
      Post("/api/generate", R"({"model":"acme/tiny","prompt":"x","stream":true})");
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(Lines(answer.body).at(0)["error"]["message"], "too long");
}

TEST_F(GenerateTest, BadRequests) {
  Serve(ChatServer);
  serving::Lease::Target target = TargetOf("acme/embeds");
  target.capabilities = {};
  target.routes = {"POST /v1/embeddings"};
  router_.Add(target);
  StartGateway();
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"model":"acme/tiny"})", "prompt_missing"},
      {R"({"model":"acme/tiny","prompt":7})", "prompt_missing"},
      {R"({"prompt":"x"})", "model_missing"},
      {R"({"model":"acme/none","prompt":"x"})", "model_not_found"},
      {R"({"model":"acme/tiny","prompt":"x","images":["aGk="]})", "unsupported_parameter"},
      {R"({"model":"acme/tiny","prompt":"x","options":{"stop":1,"stop":2}})", "duplicate_key"},
      {R"({"model":"acme/embeds","prompt":"x"})", "route_not_supported"},
  };
  for (const auto& [body, code] : kCases) {
    EXPECT_EQ(CodeOf(Post("/api/generate", body)), code) << body;
  }
}

TEST_F(GenerateTest, ServerErrors) {
  Serve([](RawConnection& connection, const RawMessage&) {
    return connection.Write(PlainAnswer(400, "application/json", R"({"error":"no such thing"})"));
  });
  StartGateway();
  const RawMessage answer = Post("/api/generate", R"({"model":"acme/tiny","prompt":"x"})");
  EXPECT_EQ(answer.status(), 400);
  EXPECT_EQ(json::parse(answer.body)["error"]["message"], "no such thing");
}

TEST_F(GenerateTest, ClientGoneMeansServerCancelled) {
  Serve([this](RawConnection& connection, const RawMessage&) {
    connection.Write(std::string(testing::kStreamHead) +
                     Chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Pa\"}}]}\n\n"));
    if (connection.WaitForEnd()) server_->CountGone();
    return false;
  });
  StartGateway();
  RawConnection client = Connect();
  client.Write(PostRequest("/api/generate", R"({"model":"acme/tiny","prompt":"x","stream":true})"));
  ASSERT_TRUE(client.ReadUntil("\"Pa\""));
  client.Close();
  EXPECT_TRUE(server_->WaitForGone(1));
}

}  // namespace
}  // namespace llmd::gateway
