// A gateway on a free port, with models whose servers the test scripts, and a client that sees
// every byte.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "gateway/gateway.h"
#include "support/fakes/fake_model_router.h"
#include "support/fakes/fake_model_server.h"

namespace llmd::gateway {

using testing::Chunk;
using testing::FakeModelServer;
using testing::PlainAnswer;
using testing::RawConnection;
using testing::RawMessage;

inline constexpr char kToken[] = "0123456789abcdef0123456789abcdef";
inline constexpr char kModel[] = "acme/tiny";
inline constexpr char kChatPath[] = "/v1/chat/completions";

class GatewayTest : public ::testing::Test {
 protected:
  // Before StartGateway.
  void Serve(FakeModelServer::Handler handler, const std::string& model = kModel) {
    server_ = std::make_unique<FakeModelServer>(std::move(handler));
    router_.Add(TargetOf(model));
  }
  serving::Lease::Target TargetOf(const std::string& model) const {
    return {.model = model,
            .kind = "llm",
            .capabilities = {"chat", "completion"},
            .endpoint = server_->endpoint(),
            .routes = {"POST /v1/chat/completions", "POST /v1/completions"},
            .served_name = model};
  }
  void StartGateway() {
    options_.listen = options_.listen.empty() ? "127.0.0.1:0" : options_.listen;
    options_.token = kToken;
    options_.io_threads = 1;
    GatewayParts parts{.router = router_, .metrics = metrics_};
    parts.control_plane = channel_;
    parts.ready = ready_;
    gateway_ = MakeGateway(std::move(parts), options_);
    const auto address = gateway_->Start();
    ASSERT_TRUE(address.ok()) << address.status();
    url_ = *address;
    port_ = std::atoi(url_.substr(url_.rfind(':') + 1).c_str());
  }
  void TearDown() override {
    gateway_.reset();
    if (server_) server_->Stop();
    EXPECT_EQ(router_.leases(), 0);
  }

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  RawConnection Connect(int receive_buffer = 0) const {
    return RawConnection::ToPort(port_, receive_buffer);
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;
  // A request's bytes. A body of "" sends no length.
  std::string Request(const std::string& method, const std::string& target, const std::string& body,
                      const Fields& fields = {}) const {
    std::string text = method + " " + target + " HTTP/1.1\r\n";
    bool has_host = false;
    for (const auto& [name, value] : fields) {
      text += name + ": " + value + "\r\n";
      has_host = has_host || name == "Host";
    }
    if (!has_host) text += "Host: " + host() + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + body;
  }
  std::string PostRequest(const std::string& target, const std::string& body,
                          Fields fields = {}) const {
    fields.emplace_back("Content-Type", "application/json");
    return Request("POST", target, body, fields);
  }

  // One request on a connection of its own.
  RawMessage Send(const std::string& bytes, bool to_head = false) const {
    RawConnection connection = Connect();
    EXPECT_TRUE(connection.Write(bytes));
    const auto answer = ReadMessage(connection, to_head);
    EXPECT_TRUE(answer.has_value()) << bytes.substr(0, 300);
    return answer.value_or(RawMessage{});
  }
  RawMessage Get(const std::string& target, const Fields& fields = {}) const {
    return Send(Request("GET", target, "", fields));
  }
  RawMessage Post(const std::string& target, const std::string& body,
                  const Fields& fields = {}) const {
    return Send(PostRequest(target, body, fields));
  }
  static std::string Chat(const std::string& more = "", const std::string& model = kModel) {
    return R"({"model":")" + model + R"(","messages":[])" + more + "}";
  }
  static std::string CodeOf(const RawMessage& answer) {
    const auto body = nlohmann::json::parse(answer.body, nullptr, false);
    if (!body.is_object() || !body.contains("error")) return "no error: " + answer.body;
    return body["error"].value("code", "");
  }
  // A metric's value, or -1.
  double Metric(const std::string& series) const {
    const std::string text = metrics_.Render();
    const size_t at = text.find(series + " ");
    return at == text.npos ? -1 : std::atof(text.c_str() + at + series.size() + 1);
  }

  testing::FakeModelRouter router_;
  std::unique_ptr<FakeModelServer> server_;
  Metrics metrics_;
  GatewayOptions options_{.listen = ""};
  std::shared_ptr<grpc::Channel> channel_;
  std::function<Status()> ready_;
  std::unique_ptr<Gateway> gateway_;
  std::string url_;
  int port_ = 0;
};

}  // namespace llmd::gateway
