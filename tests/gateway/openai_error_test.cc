#include "gateway/openai_error.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/upstream_error.h"

namespace llmd::gateway {
namespace {

using nlohmann::json;

Status Of(StatusCode code, std::string name) {
  return MakeStatus(code, "why", {.code = std::move(name), .next_step = "do"});
}

TEST(OpenAiErrorTest, TheCodeDecidesTheStatus) {
  EXPECT_EQ(HttpStatusOf(Of(StatusCode::kNotFound, "model_not_found")), 404);
  EXPECT_EQ(HttpStatusOf(Of(StatusCode::kInvalidArgument, "anything")), 400);
  EXPECT_EQ(HttpStatusOf(Of(StatusCode::kInvalidArgument, "body_too_large")), 413);
  EXPECT_EQ(HttpStatusOf(Of(StatusCode::kResourceExhausted, "does_not_fit")), 503);
  EXPECT_EQ(HttpStatusOf(Of(StatusCode::kUnavailable, "upstream_crashed")), 502);
  EXPECT_EQ(HttpStatusOf(Of(StatusCode::kUnavailable, "server_failed")), 503);
  EXPECT_EQ(HttpStatusOf(Internal("x")), 500);
  EXPECT_EQ(RetryAfterSeconds(Of(StatusCode::kUnavailable, "model_loading")), 5);
  EXPECT_EQ(RetryAfterSeconds(Of(StatusCode::kNotFound, "model_not_found")), 0);
}

TEST(OpenAiErrorTest, TheBodyIsOpenAis) {
  const json error = json::parse(ErrorBody(Of(StatusCode::kNotFound, "model_not_found")))["error"];
  EXPECT_EQ(error, (json{{"message", "why"},
                         {"type", "invalid_request_error"},
                         {"code", "model_not_found"},
                         {"param", nullptr},
                         {"next_step", "do"}}));
  EXPECT_EQ(json::parse(ErrorBody(Internal("x")))["error"]["type"], "server_error");
  EXPECT_EQ(ErrorEvent(Internal("a\nb")).find('\n'), ErrorEvent(Internal("a\nb")).size() - 2);
  EXPECT_FALSE(json::parse(ErrorBody(Internal("bad \xff utf-8")), nullptr, false).is_discarded());
}

TEST(RetellErrorTest, KnowsTheServersForms) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"error":{"message":"too long","code":"context_length"}})", "too long"},
      {R"({"error":"plain"})", "plain"},
      {R"({"message":"m"})", "m"},
      {R"({"detail":"d"})", "d"},
      {R"({"detail":[{"loc":["body","temperature"],"msg":"not a number"}]})",
       "temperature: not a number"},
      {"<html>", "the model server answered with status 422"},
      {"", "the model server answered with status 422"},
      {R"({"error":{"message":7}})", "the model server answered with status 422"},
      {R"({"detail":[]})", "the model server answered with status 422"},
      {R"({"error":{"message":"at /home/me/.venv/x.py, line 3\n  File \"/y/z\""}})",
       "at (a path) line 3"},
  };
  for (const auto& [body, message] : kCases) {
    const json error = json::parse(RetellError(422, body))["error"];
    EXPECT_EQ(error["message"], message) << body;
  }
  EXPECT_EQ(
      json::parse(RetellError(422, R"({"error":{"code":"context_length"}})"))["error"]["code"],
      "context_length");
  EXPECT_EQ(json::parse(RetellError(422, R"({"error":{"code":"No Code!"}})"))["error"]["code"],
            "invalid_request");
  EXPECT_EQ(json::parse(RetellError(500, "x"))["error"]["code"], "model_server_error");
}

}  // namespace
}  // namespace llmd::gateway
