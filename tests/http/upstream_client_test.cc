#include "http/upstream_client.h"

#include <gtest/gtest.h>

#include <future>

#include "support/fakes/fake_model_server.h"

namespace llmd::http {
namespace {

using testing::Chunk;
using testing::FakeModelServer;
using testing::PlainAnswer;
using testing::RawConnection;
using testing::RawMessage;

struct Answer {
  int status = 0;
  std::string type;
  std::string body;
  Status end;
};

// Sends and waits for the end.
Answer Ask(UpstreamClient& client, UpstreamRequest request, CancelToken cancel = {}) {
  auto answer = std::make_shared<Answer>();
  std::promise<void> ended;
  client.Send(std::move(request),
              {.on_head =
                   [answer](int status, std::string_view type) {
                     answer->status = status;
                     answer->type = type;
                   },
               .on_data = [answer](std::string_view bytes) { answer->body += bytes; },
               .on_end =
                   [answer, &ended](Status status) {
                     answer->end = std::move(status);
                     ended.set_value();
                   }},
              std::move(cancel));
  ended.get_future().wait();
  return *answer;
}

UpstreamRequest Post(const FakeModelServer& server, std::string body = R"({"a":1})") {
  return {.endpoint = server.endpoint(), .target = "/v1/x", .body = std::move(body)};
}

std::string CodeOf(const Status& status) { return GetErrorInfo(status).code; }

TEST(UpstreamClient, AsksAndKeepsTheConnection) {
  FakeModelServer server([](RawConnection& connection, const RawMessage& request) {
    return connection.Write(PlainAnswer(201, "application/json", request.body));
  });
  const auto client = MakeUpstreamClient();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = Ask(*client, Post(server));
    EXPECT_TRUE(answer.end.ok()) << answer.end;
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.type, "application/json");
    EXPECT_EQ(answer.body, R"({"a":1})");
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests()[0].first_line(), "POST /v1/x HTTP/1.1");
  EXPECT_EQ(server.requests()[0].field("content-length"), "7");
}

TEST(UpstreamClient, SendsBodiesLargerThanASocketBuffer) {
  FakeModelServer server([](RawConnection& connection, const RawMessage& request) {
    return connection.Write(PlainAnswer(200, "text/plain", std::to_string(request.body.size())));
  });
  const auto client = MakeUpstreamClient();
  EXPECT_EQ(Ask(*client, Post(server, std::string(8u << 20, 'x'))).body, "8388608");
}

TEST(UpstreamClient, ReadsLargeAnswersAndEveryFraming) {
  const std::string large(3u << 20, 'y');
  FakeModelServer server([&](RawConnection& connection, const RawMessage& request) {
    if (request.first_line().find("length") != std::string::npos) {
      return connection.Write(PlainAnswer(200, "text/plain", large));
    }
    if (request.first_line().find("close") != std::string::npos) {
      connection.Write("HTTP/1.1 200 OK\r\n\r\n" + large);
      return false;
    }
    return connection.Write("HTTP/1.1 100 Continue\r\n\r\n") &&
           connection.Write(testing::kStreamHead) && connection.Write(Chunk(large)) &&
           connection.Write("0\r\n\r\n");
  });
  const auto client = MakeUpstreamClient();
  for (const char* target : {"/length", "/close", "/chunked"}) {
    UpstreamRequest request = Post(server);
    request.target = target;
    const Answer answer = Ask(*client, std::move(request));
    EXPECT_TRUE(answer.end.ok()) << target << answer.end;
    EXPECT_EQ(answer.body.size(), large.size()) << target;
  }
}

TEST(UpstreamClient, SaysWhenNobodyListens) {
  const auto client = MakeUpstreamClient();
  const Answer answer = Ask(*client, {.endpoint = "unix:///nowhere/api.sock", .target = "/"});
  EXPECT_EQ(answer.end.code(), StatusCode::kUnavailable);
  EXPECT_EQ(CodeOf(answer.end), "upstream_crashed");
  EXPECT_EQ(CodeOf(Ask(*client, {.endpoint = "http://example.org:80", .target = "/"}).end),
            "bad_endpoint");
}

TEST(UpstreamClient, RefusesTargetsThatWouldBeTwoLines) {
  FakeModelServer server([](RawConnection&, const RawMessage&) { return false; });
  const auto client = MakeUpstreamClient();
  for (const char* target : {"/a b", "/a\r\nX: y", ""}) {
    UpstreamRequest request = Post(server);
    request.target = target;
    EXPECT_EQ(Ask(*client, std::move(request)).end.code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(UpstreamClient, NeverTakesABrokenAnswerForAWholeOne) {
  FakeModelServer server([](RawConnection& connection, const RawMessage& request) {
    const std::string& line = request.first_line();
    if (line.find("/chunk ") != line.npos) {
      connection.Write(testing::kStreamHead + Chunk("half"));
    } else if (line.find("/length ") != line.npos) {
      connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    } else if (line.find("/head ") != line.npos) {
      connection.Write("HTTP/1.1 200 OK\r\nContent-");
    } else if (line.find("/garbage ") != line.npos) {
      connection.Write("SSH-2.0-OpenSSH\r\n\r\n");
    } else if (line.find("/badchunk ") != line.npos) {
      connection.Write(std::string(testing::kStreamHead) + "zz\r\n");
    }
    return false;
  });
  const auto client = MakeUpstreamClient();
  const std::pair<const char*, const char*> kCases[] = {
      {"/chunk", "upstream_crashed"}, {"/length", "upstream_crashed"},
      {"/head", "upstream_crashed"},  {"/nothing", "upstream_crashed"},
      {"/garbage", "bad_answer"},     {"/badchunk", "bad_answer"}};
  for (const auto& [target, code] : kCases) {
    UpstreamRequest request = Post(server);
    request.target = target;
    const Answer answer = Ask(*client, std::move(request));
    EXPECT_EQ(answer.end.code(), StatusCode::kUnavailable) << target;
    EXPECT_EQ(CodeOf(answer.end), code) << target;
  }
}

TEST(UpstreamClient, AsksAgainWhenAKeptConnectionWasClosed) {
  std::atomic<int> asked{0};
  FakeModelServer server([&](RawConnection& connection, const RawMessage&) {
    // The second request comes on the kept connection, which dies under it.
    if (++asked == 2) return false;
    return connection.Write(PlainAnswer(200, "text/plain", "ok"));
  });
  const auto client = MakeUpstreamClient();
  EXPECT_EQ(Ask(*client, Post(server)).body, "ok");
  EXPECT_EQ(Ask(*client, Post(server)).body, "ok");
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(server.connections(), 2);
}

TEST(UpstreamClient, DoesNotAskAgainOnceSomethingCameBack) {
  std::atomic<int> asked{0};
  FakeModelServer server([&](RawConnection& connection, const RawMessage&) {
    if (++asked == 2)
      return connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nx"), false;
    return connection.Write(PlainAnswer(200, "text/plain", "ok"));
  });
  const auto client = MakeUpstreamClient();
  EXPECT_EQ(Ask(*client, Post(server)).body, "ok");
  EXPECT_EQ(CodeOf(Ask(*client, Post(server)).end), "upstream_crashed");
  EXPECT_EQ(asked, 2);
}

TEST(UpstreamClient, CancelClosesTheConnection) {
  FakeModelServer* self = nullptr;
  FakeModelServer server([&](RawConnection& connection, const RawMessage&) {
    connection.Write(testing::kStreamHead + Chunk("data: 1\n\n"));
    if (connection.WaitForEnd()) self->CountGone();
    return false;
  });
  self = &server;
  const auto client = MakeUpstreamClient();
  CancelSource cancel;
  std::promise<Status> ended;
  client->Send(Post(server),
               {.on_head = nullptr,
                .on_data = [&](std::string_view) { cancel.Cancel(); },
                .on_end = [&](Status status) { ended.set_value(std::move(status)); }},
               cancel.token());
  EXPECT_EQ(ended.get_future().get().code(), StatusCode::kCancelled);
  EXPECT_TRUE(server.WaitForGone(1));
}

TEST(UpstreamClient, CancelBeforeAnyAnswer) {
  FakeModelServer* self = nullptr;
  CancelSource cancel;
  FakeModelServer server([&](RawConnection& connection, const RawMessage&) {
    cancel.Cancel();
    if (connection.WaitForEnd()) self->CountGone();
    return false;
  });
  self = &server;
  const auto client = MakeUpstreamClient();
  EXPECT_EQ(Ask(*client, Post(server), cancel.token()).end.code(), StatusCode::kCancelled);
  EXPECT_TRUE(server.WaitForGone(1));
  EXPECT_EQ(Ask(*client, Post(server), cancel.token()).end.code(), StatusCode::kCancelled);
}

TEST(UpstreamClient, EndsWhatIsUnderWayWhenDestroyed) {
  FakeModelServer server([&](RawConnection& connection, const RawMessage&) {
    connection.WaitForEnd();
    return false;
  });
  std::promise<Status> ended;
  {
    const auto client = MakeUpstreamClient();
    client->Send(Post(server),
                 {.on_head = nullptr,
                  .on_data = nullptr,
                  .on_end = [&](Status status) { ended.set_value(std::move(status)); }},
                 {});
    ASSERT_TRUE(server.WaitForRequests(1));
  }
  EXPECT_EQ(ended.get_future().get().code(), StatusCode::kCancelled);
}

TEST(UpstreamClient, RefusesEndlessHeads) {
  FakeModelServer server([](RawConnection& connection, const RawMessage&) {
    connection.Write("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x'));
    connection.WaitForEnd();
    return false;
  });
  const auto client = MakeUpstreamClient();
  EXPECT_EQ(CodeOf(Ask(*client, Post(server)).end), "bad_answer");
}

}  // namespace
}  // namespace llmd::http
