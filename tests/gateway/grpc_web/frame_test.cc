#include "gateway/grpc_web/frame.h"

#include <gtest/gtest.h>

#include <random>

namespace llmd::gateway {
namespace {

TEST(FrameTest, RequestsHaveOneFrame) {
  EXPECT_EQ(*ParseRequestFrame(MessagePrefix(3) + "abc", false), "abc");
  EXPECT_EQ(*ParseRequestFrame(MessagePrefix(0), false), "");
  EXPECT_EQ(*ParseRequestFrame(EncodeBase64(MessagePrefix(3) + "abc", true), true), "abc");
  // Two encodings behind one another, as streaming encoders make them.
  EXPECT_EQ(
      *ParseRequestFrame(EncodeBase64(MessagePrefix(3), true) + EncodeBase64("abc", true), true),
      "abc");
  for (const std::string& body :
       {std::string(), std::string(4, '\0'), MessagePrefix(3) + "ab", MessagePrefix(3) + "abcd",
        "\x01" + std::string(4, '\0'), std::string("\0\xff\xff\xff\xff", 5)}) {
    EXPECT_EQ(GetErrorInfo(ParseRequestFrame(body, false).status()).code, "invalid_frame");
  }
  EXPECT_FALSE(ParseRequestFrame("????", true).ok());
}

TEST(FrameTest, Trailers) {
  const std::string frame = TrailerFrame({.code = 5, .message = "a\nb", .details = "\xff"});
  EXPECT_EQ(frame.substr(5),
            "grpc-status: 5\r\ngrpc-message: a%0Ab\r\ngrpc-status-details-bin: /w\r\n");
  EXPECT_EQ(frame.substr(0, 5), std::string("\x80\0\0\0", 4) + static_cast<char>(frame.size() - 5));
}

TEST(FrameTest, Base64IsItsOwnInverse) {
  EXPECT_EQ(EncodeBase64("", true), "");
  EXPECT_EQ(EncodeBase64("f", true), "Zg==");
  EXPECT_EQ(EncodeBase64("fo", false), "Zm8");
  EXPECT_EQ(EncodeBase64("foobar", true), "Zm9vYmFy");
  std::mt19937 random(7);
  for (size_t size = 0; size < 200; ++size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
    EXPECT_EQ(DecodeBase64(EncodeBase64(bytes, true)), bytes);
  }
  for (const char* bad : {"Z", "Zg=", "Z===", "====", "Zg==Zg=", "Zm 8", "=Zg="}) {
    EXPECT_FALSE(DecodeBase64(bad)) << bad;
  }
}

TEST(FrameTest, PercentEncoding) {
  EXPECT_EQ(PercentEncode("a b~%\x7f\xc3\xa9\r"), "a b~%25%7F%C3%A9%0D");
}

TEST(FrameTest, Timeouts) {
  EXPECT_EQ(ParseGrpcTimeout("5S"), 5000);
  EXPECT_EQ(ParseGrpcTimeout("99999999H"), int64_t{99999999} * 3'600'000);
  EXPECT_EQ(ParseGrpcTimeout("1u"), 1);
  EXPECT_EQ(ParseGrpcTimeout("1n"), 1);
  for (const char* bad : {"", "S", "5", "5s", "-5S", "+5S", "5 S", "123456789S", "5.5S"}) {
    EXPECT_FALSE(ParseGrpcTimeout(bad)) << bad;
  }
}

}  // namespace
}  // namespace llmd::gateway
