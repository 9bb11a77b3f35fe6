#include "gateway/access.h"

#include "gateway/gateway_fixture.h"
#include "gateway/routes.h"

namespace llmd::gateway {
namespace {

// A concrete request for each of the router's own routes and methods.
struct Probe {
  std::string method;
  std::string target;
  const Route* route;
};
std::vector<Probe> ProbesOfAllRoutes() {
  std::vector<Probe> probes;
  for (const Route& route : Routes()) {
    std::string path(route.path);
    if (path.ends_with('*')) path.replace(path.size() - 1, 1, "x");
    if (route.handler == Handler::kGrpcWeb) path += "/y";
    for (const char* method : {"GET", "HEAD", "POST"}) {
      if (std::string(route.methods).find(method) == std::string::npos) continue;
      probes.push_back({method, path, &route});
    }
  }
  return probes;
}

class AccessMatrixTest : public GatewayTest {
 protected:
  RawMessage Try(const Probe& probe, const Fields& fields) const {
    return Send(Request(probe.method, probe.target, "", fields), probe.method == "HEAD");
  }
  bool Refused(const Probe& probe, const Fields& fields) const {
    const RawMessage answer = Try(probe, fields);
    return answer.status() == 403 || answer.status() == 421;
  }
};

TEST_F(AccessMatrixTest, HostsAndOriginsOverEveryRoute) {
  options_.allowed_origins = {"https://listed.example"};
  options_.allowed_hosts = {"box.lan"};
  StartGateway();
  const std::string port = ":" + std::to_string(port_);
  const std::vector<std::string> good_hosts = {
      host(), "localhost" + port, "[::1]" + port, "LOCALHOST" + port, "box.lan" + port, "box.lan"};
  const std::vector<std::string> bad_hosts = {"",
                                              "evil.example",
                                              "evil.example" + port,
                                              "localhost." + port,
                                              "localhost",
                                              "127.0.0.1",
                                              "127.0.0.1:1",
                                              "127.0.0.2" + port,
                                              "127.0.0.1.evil.example" + port,
                                              "localhost" + port + "0",
                                              "localhost" + port + "@evil.example",
                                              "127.1" + port,
                                              "2130706433" + port,
                                              "[::ffff:127.0.0.1]" + port,
                                              "0.0.0.0" + port};
  const std::vector<std::string> bad_origins = {"null",
                                                "",
                                                "http://evil.example",
                                                "https://" + host(),
                                                "http://localhost",
                                                "http://" + host() + ".evil.example",
                                                "https://listed.example.evil",
                                                "file://"};
  for (const Probe& probe : ProbesOfAllRoutes()) {
    const std::string what = probe.method + " " + probe.target;
    for (const std::string& name : good_hosts) {
      EXPECT_FALSE(Refused(probe, {{"Host", name}})) << what << " " << name;
      EXPECT_FALSE(Refused(probe, {{"Host", name}, {"Origin", "http://" + name}}))
          << what << " " << name;
    }
    for (const std::string& name : bad_hosts) {
      EXPECT_TRUE(Refused(probe, {{"Host", name}})) << what << " Host: " << name;
    }
    for (const std::string& origin : bad_origins) {
      EXPECT_TRUE(Refused(probe, {{"Origin", origin}})) << what << " Origin: " << origin;
    }
    EXPECT_TRUE(Refused(probe, {{"Origin", "http://" + host()}, {"Origin", "null"}})) << what;
    EXPECT_EQ(Try(probe, {{"Host", host()}, {"Host", host()}}).status(), 400) << what;
    const bool page = probe.route->handler == Handler::kPage;
    EXPECT_EQ(Refused(probe, {{"Sec-Fetch-Site", "cross-site"}}), !page) << what;
  }
  EXPECT_GT(Metric(R"(llmd_auth_failures_total{reason="foreign_host"})"), 0);
}

TEST_F(AccessMatrixTest, NoPlainFormCanPost) {
  Serve([](RawConnection& connection, const RawMessage&) {
    return connection.Write(PlainAnswer(200, "application/json", "{}"));
  });
  StartGateway();
  for (const char* target : {"/v1/chat/completions", "/api/generate", "/api/model/info"}) {
    for (const char* type :
         {"text/plain", "application/x-www-form-urlencoded", "", "application/json-seq",
          "text/plain; application/json", "application/octet-stream"}) {
      const RawMessage answer = Send(Request("POST", target, Chat(), {{"Content-Type", type}}));
      EXPECT_EQ(answer.status(), 415) << target << " " << type;
      EXPECT_EQ(CodeOf(answer), "unsupported_media_type");
    }
    EXPECT_EQ(Send(Request("POST", target, Chat())).status(), 415);
    EXPECT_EQ(Post(target, Chat(), {{"Content-Encoding", "gzip"}}).status(), 415);
    EXPECT_EQ(Post(target, Chat(), {{"Content-Type", "text/plain"}}).status(), 415);
  }
  EXPECT_EQ(server_->connections(), 0);
  EXPECT_EQ(Send(Request("POST", kChatPath, Chat(),
                         {{"Content-Type", "Application/JSON; charset=utf-8"}}))
                .status(),
            200);
}

TEST_F(AccessMatrixTest, ListedOriginsMayAskAndRead) {
  options_.allowed_origins = {"https://listed.example"};
  StartGateway();
  const Fields preflight = {{"Origin", "https://listed.example"},
                            {"Access-Control-Request-Method", "POST"},
                            {"Access-Control-Request-Private-Network", "true"}};
  const RawMessage may = Send(Request("OPTIONS", kChatPath, "", preflight));
  EXPECT_EQ(may.status(), 204);
  EXPECT_EQ(may.field("access-control-allow-origin"), "https://listed.example");
  EXPECT_EQ(may.field("access-control-allow-methods"), "POST");
  EXPECT_FALSE(may.fields.contains("access-control-allow-private-network"));
  const RawMessage list = Get("/v1/models", {{"Origin", "https://listed.example"}});
  EXPECT_EQ(list.field("access-control-allow-origin"), "https://listed.example");
  EXPECT_EQ(list.field("vary"), "Origin");
  EXPECT_FALSE(Get("/v1/models").fields.contains("access-control-allow-origin"));
  const RawMessage foreign = Send(
      Request("OPTIONS", kChatPath, "",
              {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "POST"}}));
  EXPECT_EQ(foreign.status(), 403);
  EXPECT_FALSE(foreign.fields.contains("access-control-allow-origin"));
  EXPECT_EQ(Send(Request("OPTIONS", "/v1/models", "")).field("allow"), "GET, HEAD, POST, OPTIONS");
}

TEST_F(AccessMatrixTest, OffLoopbackEverythingWantsTheToken) {
  options_.listen = "0.0.0.0:0";
  StartGateway();
  const Fields token = {{"Authorization", std::string("Bearer ") + kToken}};
  for (const Probe& probe : ProbesOfAllRoutes()) {
    const RawMessage without = Try(probe, {});
    const bool refused =
        without.status() == 401 || without.body.find("grpc-status: 16") != std::string::npos;
    EXPECT_EQ(refused, !probe.route->open_off_loopback) << probe.method << " " << probe.target;
    EXPECT_NE(Try(probe, token).status(), 401) << probe.method << " " << probe.target;
  }
  for (const char* wrong : {"Bearer", "Bearer ", "Bearer 0123", "Basic 0123456789abcdef",
                            "0123456789abcdef0123456789abcdef"}) {
    EXPECT_EQ(Get("/v1/models", {{"Authorization", wrong}}).status(), 401) << wrong;
  }
  EXPECT_EQ(Get("/v1/models", token).status(), 200);
  EXPECT_EQ(
      Get("/v1/models", {{"Host", "192.168.1.7:" + std::to_string(port_)}, token[0]}).status(),
      200);
  EXPECT_EQ(
      Get("/v1/models", {{"Host", "evil.example:" + std::to_string(port_)}, token[0]}).status(),
      421);
}

TEST(AccessTest, MediaTypes) {
  EXPECT_EQ(MediaTypeOf("Application/JSON ; charset=utf-8"), "application/json");
  EXPECT_EQ(MediaTypeOf(""), "");
}

TEST(AccessTest, AddressLiterals) {
  EXPECT_TRUE(IsAddressLiteral("127.0.0.1"));
  EXPECT_TRUE(IsAddressLiteral("[::1]"));
  EXPECT_FALSE(IsAddressLiteral("::1"));
  EXPECT_FALSE(IsAddressLiteral("localhost"));
  EXPECT_FALSE(IsAddressLiteral("1.2.3.4.example"));
  EXPECT_FALSE(IsAddressLiteral(""));
}

}  // namespace
}  // namespace llmd::gateway
