#include "gateway/routes.h"

#include <gtest/gtest.h>

#include "gateway/request_metrics.h"

namespace llmd::gateway {
namespace {

TEST(RoutesTest, EachRequestHasOneHandler) {
  const struct {
    const char* method;
    const char* target;
    Handler handler;
    const char* rest;
  } kCases[] = {
      {"GET", "/v1/models", Handler::kModels, ""},
      {"HEAD", "/v1/models?x=1", Handler::kModels, ""},
      {"GET", "/v1/models/acme/tiny", Handler::kModel, "acme/tiny"},
      {"POST", "/v1/chat/completions", Handler::kProxy, "chat/completions"},
      {"POST", "/api/generate", Handler::kGenerate, ""},
      {"POST", "/api/model/info", Handler::kModelInfo, ""},
      {"GET", "/livez", Handler::kLive, ""},
      {"GET", "/readyz", Handler::kReady, ""},
      {"GET", "/metrics", Handler::kMetrics, ""},
      {"POST", "/llmd.v1.System/Info", Handler::kGrpcWeb, "System/Info"},
      {"POST", "/grpc.health.v1.Health/Check", Handler::kGrpcWeb, "Health/Check"},
      {"GET", "/", Handler::kPage, ""},
      {"GET", "/models/acme%2Ftiny", Handler::kPage, "models/acme%2Ftiny"},
  };
  for (const auto& test : kCases) {
    const auto match = FindRoute(test.method, test.target);
    ASSERT_TRUE(match.ok()) << test.target;
    EXPECT_EQ(match->route->handler, test.handler) << test.target;
    EXPECT_EQ(match->rest, test.rest) << test.target;
  }
}

TEST(RoutesTest, PathsAreTakenInTheirPlainFormOnly) {
  for (const char* path : {"/v1/chat", "/a-b_c.d~e/f"}) EXPECT_TRUE(IsPlainPath(path)) << path;
  for (const char* path : {"", "/", "/a/", "//a", "/a//b", "/.", "/..", "/a/../b", "/.a", "/a%41",
                           "/a;b", "/a b", "a", "/a\\b", "/a?b", "/\xc3\xa9"}) {
    EXPECT_FALSE(IsPlainPath(path)) << path;
  }
}

TEST(RoutesTest, Queries) {
  EXPECT_EQ(QueryValue("a=1&model=x%2Fy&model=z", "model"), "x/y");
  EXPECT_EQ(QueryValue("mode=1&models=2", "model"), "");
  EXPECT_EQ(QueryValue("model=%zz", "model"), "");
  EXPECT_EQ(QueryValue("model=%0a", "model"), "");
  EXPECT_EQ(QueryValue("", "model"), "");
  std::string out;
  EXPECT_FALSE(PercentDecode("%", out));
  EXPECT_FALSE(PercentDecode("%2", out));
  EXPECT_TRUE(PercentDecode("%c3%A9", out));
  EXPECT_EQ(out, "\xc3\xa9");
}

TEST(ApiLabelTest, IsBounded) {
  EXPECT_EQ(ApiLabel("/v1/chat/completions"), "chat_completions");
  EXPECT_EQ(ApiLabel("/llmd.v1.System/Info"), "grpc_web");
  EXPECT_EQ(ApiLabel("/v1/models/acme/tiny"), "models");
  EXPECT_EQ(ApiLabel("/whatever"), "other");
}

}  // namespace
}  // namespace llmd::gateway
