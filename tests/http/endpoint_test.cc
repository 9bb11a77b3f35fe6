#include "http/endpoint.h"

#include <gtest/gtest.h>

namespace llmd::http {
namespace {

TEST(Endpoint, ReadsUnixSockets) {
  const auto endpoint = ParseEndpoint("unix:///run/llmd/api.sock");
  ASSERT_TRUE(endpoint.ok());
  EXPECT_EQ(endpoint->path, "/run/llmd/api.sock");
}

TEST(Endpoint, ReadsLoopback) {
  for (const char* text : {"http://127.0.0.1:8000", "http://localhost:8000/"}) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint.ok()) << text;
    EXPECT_EQ(endpoint->port, 8000);
    EXPECT_FALSE(endpoint->ipv6);
  }
  EXPECT_TRUE(ParseEndpoint("http://[::1]:65535")->ipv6);
}

TEST(Endpoint, RefusesEverythingElse) {
  for (const char* text :
       {"", "unix://relative", "unix://", "http://example.org:80", "http://127.0.0.1",
        "http://127.0.0.1:0", "http://127.0.0.1:65536", "http://127.0.0.1:80/path",
        "https://127.0.0.1:80", "http://10.0.0.1:80", "http://127.0.0.1:8 0"}) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_FALSE(endpoint.ok()) << text;
    EXPECT_EQ(GetErrorInfo(endpoint.status()).code, "bad_endpoint");
  }
  EXPECT_FALSE(ParseEndpoint("unix:///" + std::string(120, 'a')).ok());
}

}  // namespace
}  // namespace llmd::http
