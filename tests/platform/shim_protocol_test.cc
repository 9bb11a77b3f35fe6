#include "platform/shim_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace llmd::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

ShimSpec Spec() {
  return {.model = "org/name",
          .folder_name = "org_name",
          .folder = "/home/models/org_name",
          .engine = "llama.cpp",
          .bind = "inherit",
          .program = "/home/models/org_name/start.sh",
          .arguments = {"--flag"},
          .environment = {{"A", "1"}, {"B", ""}},
          .log = "/home/models/org_name/logs/server.log",
          .shim_socket = "/run/shim.sock",
          .api_socket = "/run/api.sock",
          .token = "secret",
          .reserved_bytes = int64_t{5} << 30,
          .ready_timeout_seconds = 77,
          .started_at = ParseTime("2026-01-31T12:00:00.5Z")};
}

ShimState State() {
  return {.model = "org/name",
          .folder_name = "org_name",
          .engine = "llama.cpp",
          .boot_id = "boot",
          .shim = {.pid = 10, .start_ticks = 100},
          .server = {.pid = 11, .start_ticks = 101},
          .token = "secret",
          .endpoint = "unix:///run/api.sock",
          .phase = ShimPhase::kReady,
          .ready_at = ParseTime("2026-01-31T12:00:01Z"),
          .spec_sha256 = "abc",
          .log = "/home/models/org_name/logs/server.log"};
}

std::vector<std::string> Keys(const std::string& text) {
  std::vector<std::string> keys;
  const auto json = nlohmann::json::parse(text);
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  return keys;
}

TEST(ShimProtocol, SpecThereAndBack) {
  const auto spec = ParseShimSpec(ToJson(Spec()));
  ASSERT_TRUE(spec.ok()) << Message(spec.status());
  EXPECT_EQ(ToJson(*spec), ToJson(Spec()));
  EXPECT_EQ(spec->arguments, Spec().arguments);
  EXPECT_EQ(spec->environment, Spec().environment);
  EXPECT_EQ(spec->started_at, Spec().started_at);
  EXPECT_EQ(spec->reserved_bytes, int64_t{5} << 30);
}

TEST(ShimProtocol, StateHasTheAgreedMembers) {
  EXPECT_THAT(Keys(ToJson(State())),
              UnorderedElementsAre("schema", "protocol", "model", "folder", "engine", "boot_id",
                                   "shim", "server", "token", "endpoint", "phase", "ready_at",
                                   "spec_sha256", "log"));
  const auto json = nlohmann::json::parse(ToJson(State()));
  EXPECT_EQ(json["shim"]["pid"], 10);
  EXPECT_EQ(json["server"]["start_ticks"], 101);
  EXPECT_EQ(json["phase"], "ready");
  EXPECT_EQ(json["ready_at"], "2026-01-31T12:00:01.000000Z");
  const auto state = ParseShimState(ToJson(State()));
  ASSERT_TRUE(state.ok()) << Message(state.status());
  EXPECT_EQ(ToJson(*state), ToJson(State()));
}

TEST(ShimProtocol, ExitHasTheAgreedMembers) {
  const ShimExit killed{.exit_code = -1, .signal = 9, .oom = true, .last_log = {"a", "b"}};
  EXPECT_THAT(Keys(ToJson(killed)), UnorderedElementsAre("schema", "exit_code", "signal", "asked",
                                                         "oom", "ended_at", "last_log"));
  EXPECT_TRUE(nlohmann::json::parse(ToJson(killed))["exit_code"].is_null());
  const auto exit = ParseShimExit(ToJson(killed));
  ASSERT_TRUE(exit.ok());
  EXPECT_EQ(exit->exit_code, -1);
  EXPECT_EQ(exit->signal, 9);
  EXPECT_TRUE(exit->oom);
  EXPECT_FALSE(exit->clean());
  EXPECT_THAT(exit->last_log, ElementsAre("a", "b"));
}

TEST(ShimProtocol, AnEndThatWasAskedForIsClean) {
  EXPECT_TRUE((ShimExit{.exit_code = -1, .signal = 15, .asked = true}).clean());
  EXPECT_TRUE(ShimExit{}.clean());
  EXPECT_FALSE(ShimExit{.exit_code = 1}.clean());
}

TEST(ShimProtocol, LogLinesThatAreNotUtf8AreKeptReadable) {
  const ShimExit exit{.last_log = {"\xff\xfe bad", std::string("nul\0here", 8)}};
  const auto back = ParseShimExit(ToJson(exit));
  ASSERT_TRUE(back.ok()) << Message(back.status());
  EXPECT_EQ(back->last_log[0], "\xEF\xBF\xBD\xEF\xBF\xBD bad");
  EXPECT_EQ(back->last_log[1], std::string("nul\0here", 8));
}

TEST(ShimProtocol, TheLongestExitFitsIntoAMessage) {
  ShimExit exit;
  exit.last_log.assign(kMaxLastLogLines, std::string(kMaxLastLogLine, '\x01'));
  const std::string line = ToLine(ShimMessage(EndedEvent{exit}));
  EXPECT_LT(line.size(), kMaxShimMessage);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_TRUE(ParseShimMessage(line).ok());
}

TEST(ShimProtocol, RequestsThereAndBack) {
  EXPECT_TRUE(std::holds_alternative<StatusRequest>(
      *ParseShimRequest(ToLine(ShimRequest(StatusRequest{})))));
  EXPECT_TRUE(std::holds_alternative<AttachRequest>(
      *ParseShimRequest(ToLine(ShimRequest(AttachRequest{})))));
  const auto stop = ParseShimRequest(ToLine(ShimRequest(StopRequest{.grace_seconds = 1.5})));
  ASSERT_TRUE(stop.ok());
  EXPECT_EQ(std::get<StopRequest>(*stop).grace_seconds, 1.5);
}

TEST(ShimProtocol, MessagesThereAndBack) {
  const auto back = [](const ShimMessage& message) { return *ParseShimMessage(ToLine(message)); };
  EXPECT_EQ(std::get<ShimState>(back(State())).server, State().server);
  const auto event = std::get<ServerEvent>(back(ServerEvent{ServerEvent::Kind::kLoading, "half"}));
  EXPECT_EQ(event.kind, ServerEvent::Kind::kLoading);
  EXPECT_EQ(event.message, "half");
  EXPECT_TRUE(std::holds_alternative<StoppingEvent>(back(StoppingEvent{})));
  EXPECT_EQ(std::get<EndedEvent>(back(EndedEvent{{.exit_code = 3}})).exit.exit_code, 3);
  EXPECT_EQ(std::get<ShimError>(back(ShimError{"why"})).message, "why");
}

TEST(ShimProtocol, ServerEvents) {
  EXPECT_EQ(ParseServerEvent(R"({"event":"ready","pid":4})")->kind, ServerEvent::Kind::kReady);
  EXPECT_EQ(ParseServerEvent(R"({"event":"failed","message":"no"})")->message, "no");
  EXPECT_EQ(ParseServerEvent(R"({"event":"listening"})")->kind, ServerEvent::Kind::kListening);
  for (const char* line : {"", "null", "[]", "{}", R"({"event":"dance"})", R"({"event":1})",
                           R"({"event":"failed","message":1})", "{\"event\":\"ready\"", "\xff"}) {
    EXPECT_EQ(ParseServerEvent(line).status().code(), StatusCode::kInvalidArgument) << line;
  }
}

TEST(ShimProtocol, UnknownMembersAreIgnoredAndMissingOnesAreErrors) {
  auto json = nlohmann::json::parse(ToJson(State()));
  json["future"] = {{"a", 1}};
  EXPECT_TRUE(ParseShimState(json.dump()).ok());
  for (const char* key : {"token", "shim", "boot_id", "phase"}) {
    auto broken = json;
    broken.erase(key);
    EXPECT_EQ(ParseShimState(broken.dump()).status().code(), StatusCode::kInvalidArgument) << key;
    broken[key] = nlohmann::json::array();
    EXPECT_EQ(ParseShimState(broken.dump()).status().code(), StatusCode::kInvalidArgument) << key;
  }
}

TEST(ShimProtocol, AnotherVersionIsNotGuessedAt) {
  auto spec = nlohmann::json::parse(ToJson(Spec()));
  spec["schema"] = 2;
  EXPECT_EQ(ParseShimSpec(spec.dump()).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ParseShimRequest(R"({"protocol":9,"request":"status"})").status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(ParseShimRequest(R"({"request":"status"})").status().code(),
            StatusCode::kInvalidArgument);
}

TEST(ShimProtocol, SpecsThatCannotBeRunAreRefused) {
  ShimSpec spec = Spec();
  spec.program = "start.sh";
  EXPECT_FALSE(ParseShimSpec(ToJson(spec)).ok());
  spec = Spec();
  spec.bind = "anything";
  EXPECT_FALSE(ParseShimSpec(ToJson(spec)).ok());
  spec = Spec();
  spec.token.clear();
  EXPECT_FALSE(ParseShimSpec(ToJson(spec)).ok());
}

TEST(ShimProtocol, TheMarkIsStableAndHidesTheToken) {
  EXPECT_EQ(MarkFor("a"), MarkFor("a"));
  EXPECT_NE(MarkFor("a"), MarkFor("b"));
  EXPECT_EQ(MarkFor("secret").find("secret"), std::string::npos);
}

}  // namespace
}  // namespace llmd::platform
