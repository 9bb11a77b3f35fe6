#include "http/chunked.h"

#include <gtest/gtest.h>

namespace llmd::http {
namespace {

struct Decoded {
  bool ok = false;
  bool done = false;
  std::string body;
  std::string rest;
};

// Feeds `text` in steps of `step` bytes.
Decoded Decode(std::string_view text, size_t step) {
  ChunkDecoder decoder;
  Decoded result;
  size_t at = 0;
  while (at < text.size() && !decoder.done()) {
    std::vector<std::string_view> pieces;
    const auto used = decoder.Feed(text.substr(at, step), pieces);
    if (!used.ok()) return result;
    for (const auto piece : pieces) result.body += piece;
    at += *used;
  }
  result.ok = true;
  result.done = decoder.done();
  result.rest = text.substr(at);
  return result;
}

TEST(ChunkDecoder, ReadsBodiesWhateverTheSteps) {
  const std::string text =
      "5\r\nhello\r\n1;name=value\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (size_t step = 1; step <= text.size(); ++step) {
    const Decoded decoded = Decode(text, step);
    EXPECT_TRUE(decoded.done) << step;
    EXPECT_EQ(decoded.body, "hello 0123456789") << step;
    EXPECT_EQ(decoded.rest, "NEXT") << step;
  }
}

TEST(ChunkDecoder, KnowsThatMoreMustCome) {
  for (const char* text :
       {"", "5", "5\r\n", "5\r\nhel", "5\r\nhello\r\n", "0\r\n", "0\r\nA: b\r\n"}) {
    const Decoded decoded = Decode(text, 3);
    EXPECT_TRUE(decoded.ok) << text;
    EXPECT_FALSE(decoded.done) << text;
  }
}

TEST(ChunkDecoder, RefusesWhatCouldBeReadInTwoWays) {
  for (const char* text :
       {"\r\n", "g\r\n", "-1\r\n", "+5\r\nhello\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n",
        "0x5\r\nhello\r\n", "5\nhello\r\n", "5\r\nhelloX\r\n", "5\r\nhello\n", "5\rX",
        "1000000000000000\r\n", ";x\r\n", "5;a\nb\r\nhello\r\n", "0\r\nA: b\n\n", "0\r\n\rX"}) {
    EXPECT_FALSE(Decode(text, 64).ok) << text;
    EXPECT_FALSE(Decode(text, 1).ok) << text;
  }
  EXPECT_FALSE(Decode("5;" + std::string(20000, 'x') + "\r\nhello\r\n", 4096).ok);
  EXPECT_FALSE(Decode("0\r\nA: " + std::string(20000, 'x') + "\r\n\r\n", 4096).ok);
}

TEST(ChunkDecoder, IsOursInverse) {
  std::string text;
  for (const size_t size : {1u, 15u, 16u, 4096u, 70000u}) {
    AppendChunkSize(text, size);
    text += std::string(size, 'a') + "\r\n";
  }
  text += kLastChunk;
  const Decoded decoded = Decode(text, 1000);
  EXPECT_TRUE(decoded.done);
  EXPECT_EQ(decoded.body.size(), 1u + 15 + 16 + 4096 + 70000);
}

}  // namespace
}  // namespace llmd::http
