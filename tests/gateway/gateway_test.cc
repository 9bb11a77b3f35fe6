// Starting, stopping, and what llmd answers itself.
#include "gateway/gateway.h"

#include <cstdlib>

#include "gateway/gateway_fixture.h"
#include "support/temp_folder.h"

namespace llmd::gateway {
namespace {

using nlohmann::json;

class LocalTest : public GatewayTest {};

TEST_F(LocalTest, ModelsAreListed) {
  Serve([](RawConnection&, const RawMessage&) { return false; });
  router_.Add(TargetOf("acme/broken"));
  router_.SetState("acme/broken", ModelState::kBroken);
  StartGateway();
  const RawMessage answer = Get("/v1/models");
  EXPECT_EQ(answer.status(), 200);
  const json list = json::parse(answer.body);
  EXPECT_EQ(list["object"], "list");
  ASSERT_EQ(list["data"].size(), 1u) << "only what can be served";
  EXPECT_EQ(list["data"][0]["id"], kModel);
  EXPECT_EQ(list["data"][0]["owned_by"], "acme");
  EXPECT_EQ(list["data"][0]["object"], "model");
}

TEST_F(LocalTest, OneModel) {
  Serve([](RawConnection&, const RawMessage&) { return false; });
  StartGateway();
  for (const char* path : {"/v1/models/acme/tiny", "/v1/models/acme%2Ftiny"}) {
    EXPECT_EQ(json::parse(Get(path).body)["id"], kModel) << path;
  }
  EXPECT_EQ(CodeOf(Get("/v1/models/acme/none")), "model_not_found");
  EXPECT_EQ(CodeOf(Get("/v1/models/acme%2")), "invalid_model_name");
  EXPECT_EQ(CodeOf(Get("/v1/models/%00")), "invalid_model_name");
}

TEST_F(LocalTest, ModelInfo) {
  Serve([](RawConnection&, const RawMessage&) { return false; });
  StartGateway();
  for (const RawMessage& answer :
       {Get("/api/model/info?model=acme%2Ftiny"), Get("/api/model/info?x=1&model=acme/tiny"),
        Get("/api/model/info"), Post("/api/model/info", R"({"model":"acme/tiny"})")}) {
    EXPECT_EQ(answer.status(), 200) << answer.body;
    const json info = json::parse(answer.body);
    EXPECT_EQ(info["model"], kModel);
    EXPECT_EQ(info["server"]["state"], "ready");
    EXPECT_EQ(info["profile"]["kind"], "llm");
  }
  EXPECT_EQ(CodeOf(Get("/api/model/info?model=no")), "model_not_found");
  router_.Add(TargetOf("acme/second"));
  EXPECT_EQ(CodeOf(Get("/api/model/info")), "model_missing");
}

TEST_F(LocalTest, Probes) {
  std::atomic<bool> ready{false};
  ready_ = [&] { return ready ? OkStatus() : Unavailable("not yet"); };
  StartGateway();
  EXPECT_EQ(Get("/livez").status(), 200);
  EXPECT_EQ(Get("/readyz").status(), 503);
  ready = true;
  EXPECT_EQ(Get("/readyz").status(), 200);
  const RawMessage head = Send(Request("HEAD", "/readyz", ""), true);
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.field("content-length"), "16");
}

TEST_F(LocalTest, MetricsAreShown) {
  StartGateway();
  RawConnection client = Connect();
  client.Write(Request("GET", "/livez", "") + Request("GET", "/metrics", ""));
  ASSERT_TRUE(ReadMessage(client));
  const auto metrics = ReadMessage(client);
  ASSERT_TRUE(metrics);
  EXPECT_EQ(metrics->field("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(metrics->body.find(R"(llmd_requests_total{api="livez",code="200",model="other"} 1)"),
            std::string::npos)
      << metrics->body;
}

TEST_F(LocalTest, TheDashboard) {
  const testing::TempFolder folder;
  folder.Write("webui/index.html", "<html>page</html>");
  folder.Write("webui/assets/index-1a2b.js", "script");
  folder.Write("secret.txt", "secret");
  std::filesystem::create_symlink(folder / "secret.txt", folder / "webui/link.txt");
  options_.dashboard = folder / "webui";
  StartGateway();
  const RawMessage page = Get("/");
  EXPECT_EQ(page.status(), 200);
  EXPECT_EQ(page.body, "<html>page</html>");
  EXPECT_EQ(page.field("content-type"), "text/html; charset=utf-8");
  EXPECT_NE(page.field("content-security-policy").find("default-src 'self'"), std::string::npos);
  EXPECT_EQ(page.field("x-content-type-options"), "nosniff");
  EXPECT_EQ(page.field("x-frame-options"), "DENY");
  EXPECT_EQ(page.field("cache-control"), "no-cache");
  EXPECT_EQ(Get("/models/acme?x=1").body, page.body) << "the page routes by itself";
  const RawMessage script = Get("/assets/index-1a2b.js");
  EXPECT_EQ(script.body, "script");
  EXPECT_NE(script.field("cache-control").find("immutable"), std::string::npos);
  const RawMessage same = Get("/", {{"If-None-Match", page.field("etag")}});
  EXPECT_EQ(same.status(), 304);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(Get("/", {{"If-None-Match", "\"other\""}}).status(), 200);
  for (const char* path :
       {"/link.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt", "/..\\secret.txt", "/assets/../../secret.txt",
        "//secret.txt", "/%2fetc%2fpasswd.txt", "/assets/none.js", "/%00index.html"}) {
    const RawMessage answer = Get(path);
    EXPECT_EQ(answer.status(), 404) << path;
    EXPECT_EQ(answer.body.find("secret\n"), std::string::npos);
  }
}

TEST_F(LocalTest, WithoutADashboard) {
  options_.dashboard = "/nowhere";
  StartGateway();
  EXPECT_EQ(CodeOf(Get("/")), "no_dashboard");
}

TEST_F(LocalTest, UnknownRoutesHaveTypedErrors) {
  StartGateway();
  EXPECT_EQ(CodeOf(Get("/v1/nothing")), "method_not_allowed");
  EXPECT_EQ(CodeOf(Get("/api/nothing")), "unknown_route");
  EXPECT_EQ(CodeOf(Get("/v1/chat/completions")), "method_not_allowed");
  EXPECT_EQ(CodeOf(Send(Request("POST", "/livez", ""))), "method_not_allowed");
}

class StartTest : public ::testing::Test {
 protected:
  StatusOr<std::string> StartOn(const std::string& listen, const std::string& token = kToken,
                                int socket = -1) {
    GatewayOptions options;
    options.listen = listen;
    options.token = token;
    options.inherited_socket = socket;
    gateway_ = MakeGateway({.router = router_, .metrics = metrics_}, options);
    return gateway_->Start();
  }
  testing::FakeModelRouter router_;
  Metrics metrics_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(StartTest, SaysWhereItListens) {
  const auto address = StartOn("127.0.0.1:0");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->substr(0, 17), "http://127.0.0.1:");
  const auto six = StartOn("[::1]:0");
  if (six.ok()) {
    EXPECT_EQ(six->substr(0, 13), "http://[::1]:");
  }
  EXPECT_EQ(StartOn("0.0.0.0:0")->substr(0, 17), "http://127.0.0.1:");
}

TEST_F(StartTest, ATakenPort) {
  const auto address = StartOn("127.0.0.1:0");
  const auto first = std::move(gateway_);
  const Status taken = StartOn(address->substr(7)).status();
  EXPECT_EQ(taken.code(), StatusCode::kUnavailable);
  EXPECT_EQ(GetErrorInfo(taken).code, "port_taken");
}

TEST_F(StartTest, BadAddresses) {
  for (const char* text : {"", "11500", "localhost", "127.0.0.1:x", "127.0.0.1:70000", "::1:80",
                           "example.org:80", "127.0.0.1:", "127.0.0.1:-1", "[127.0.0.1]:0"}) {
    EXPECT_EQ(GetErrorInfo(StartOn(text).status()).code, "bad_listen_address") << text;
  }
}

TEST_F(StartTest, OpenToOthersOnlyWithAToken) {
  for (const char* token : {"", "abc", "0123456789abcde"}) {
    for (const char* listen : {"0.0.0.0:0", "[::]:0"}) {
      EXPECT_EQ(GetErrorInfo(StartOn(listen, token).status()).code, "open_without_token")
          << listen << " " << token;
    }
  }
}

TEST_F(StartTest, AnInheritedSocketGoesOnListening) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(socket, 16), 0);
  // Two gateways in turn on copies of one socket; a client that comes in between waits.
  const int copies[] = {::dup(socket), ::dup(socket)};
  std::optional<RawConnection> between;
  for (const int copy : copies) {
    const auto url = StartOn("ignored", kToken, copy);
    ASSERT_TRUE(url.ok()) << url.status();
    const int port = std::atoi(url->substr(url->rfind(':') + 1).c_str());
    if (!between) between = RawConnection::ToPort(port);
    const std::string request =
        "GET /livez HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n\r\n";
    between->Write(request);
    EXPECT_EQ(ReadMessage(*between)->status(), 200);
    gateway_->Stop(std::chrono::milliseconds(0));
    between = RawConnection::ToPort(port);
  }
  ::close(socket);
}

TEST(InheritedSocketTest, FollowsTheProtocol) {
  const std::string pid = std::to_string(::getpid());
  const auto set = [](const char* name, const char* value) {
    value != nullptr ? ::setenv(name, value, 1) : ::unsetenv(name);
  };
  const auto with = [&](const char* owner, const char* fds, const char* names) {
    set("LISTEN_PID", owner);
    set("LISTEN_FDS", fds);
    set("LISTEN_FDNAMES", names);
    return InheritedSocket("http");
  };
  EXPECT_EQ(with(nullptr, nullptr, nullptr), -1);
  EXPECT_EQ(with("1", "1", nullptr), -1) << "meant for another process";
  EXPECT_EQ(with(pid.c_str(), "1", nullptr), 3);
  EXPECT_EQ(with(pid.c_str(), "2", nullptr), -1) << "which of them?";
  EXPECT_EQ(with(pid.c_str(), "2", "grpc:http"), 4);
  EXPECT_EQ(with(pid.c_str(), "2", "grpc:other"), -1);
  EXPECT_EQ(with(pid.c_str(), "1", "llmd.socket"), 3);
  with(nullptr, nullptr, nullptr);
}

}  // namespace
}  // namespace llmd::gateway
