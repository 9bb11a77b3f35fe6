#include "config/listen_address.h"

#include <gtest/gtest.h>

namespace llmd::config {
namespace {

TEST(ListenAddressTest, ReadsAndPrints) {
  for (const char* text : {"127.0.0.1:11500", "[::1]:0", "0.0.0.0:65535", "[fe80::1]:80"}) {
    const StatusOr<ListenAddress> address = ParseListenAddress(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ParseListenAddress("localhost:7")->ToString(), "127.0.0.1:7");
}

TEST(ListenAddressTest, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:80x", "127.0.0.1: 80", "::1:80", "[::1]", "[::1]80", "[127.0.0.1]:80",
        "example.org:80", "127.1:80", "0x7f000001:80", "[localhost]:80", "127.0.0.1:+8"}) {
    const StatusOr<ListenAddress> address = ParseListenAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(GetErrorInfo(address.status()).code, "bad_listen_address");
  }
}

TEST(ListenAddressTest, KnowsLoopback) {
  for (const char* text : {"127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"}) {
    EXPECT_TRUE(ParseListenAddress(text)->IsLoopback()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"}) {
    EXPECT_FALSE(ParseListenAddress(text)->IsLoopback()) << text;
  }
}

}  // namespace
}  // namespace llmd::config
