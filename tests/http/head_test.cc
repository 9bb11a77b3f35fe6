#include "http/head.h"

#include <gtest/gtest.h>

namespace llmd::http {
namespace {

Status Parse(const std::string& text, RequestHead& head) {
  return ParseRequestHead(text, {}, head);
}

TEST(RequestHead, IsReadAsViewsIntoTheText) {
  const std::string text =
      "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: localhost:1\r\nContent-Length: 12\r\n"
      "X-Empty:\r\nx-twice: a\r\nX-Twice:  b \r\nConnection: Keep-Alive, close\r\n\r\n";
  RequestHead head;
  ASSERT_TRUE(Parse(text, head).ok());
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat/completions?x=1");
  EXPECT_EQ(head.Get("HOST"), "localhost:1");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_TRUE(head.Has("x-empty"));
  EXPECT_EQ(head.Count("X-TWICE"), 2u);
  EXPECT_EQ(head.Get("x-twice"), "a");
  EXPECT_FALSE(head.keep_alive);
  EXPECT_GE(head.target.data(), text.data());
  EXPECT_LT(head.target.data(), text.data() + text.size());
}

TEST(RequestHead, KnowsPersistence) {
  RequestHead head;
  ASSERT_TRUE(Parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", head).ok());
  EXPECT_TRUE(head.keep_alive);
  ASSERT_TRUE(Parse("GET / HTTP/1.0\r\n\r\n", head).ok());
  EXPECT_FALSE(head.keep_alive);
  ASSERT_TRUE(Parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head).ok());
  EXPECT_TRUE(head.keep_alive);
}

// Each of these has been read in two ways by two programs, somewhere.
constexpr const char* kAmbiguousHeads[] = {
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
    "chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tchunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\r\n: chunked\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET //a/ HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "GET / http/1.1\r\nHost: a\r\n\r\n",
    "GET /\r\nHost: a\r\n\r\n",
    "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nna me: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nname\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nname: a\x01z\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nname: a\x7fz\r\n\r\n",
};

TEST(RequestHead, RefusesWhatIsUsedForSmuggling) {
  for (const char* text : kAmbiguousHeads) {
    RequestHead head;
    const Status status = Parse(text, head);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(GetErrorInfo(status).code, "bad_request") << text;
  }
  RequestHead head;
  std::string zero = "GET / HTTP/1.1\r\nHost: a\r\nX: b";
  zero += '\0';
  EXPECT_FALSE(Parse(zero + "c\r\n\r\n", head).ok());
}

TEST(RequestHead, AcceptsWhatClientsSend) {
  for (const char* text :
       {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%2e%2e HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx-utf8: \xc3\xa9\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n"}) {
    RequestHead head;
    EXPECT_TRUE(Parse(text, head).ok()) << text;
  }
}

TEST(RequestHead, HasLimits) {
  RequestHead head;
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 99; ++i) many += "a: b\r\n";
  EXPECT_TRUE(Parse(many + "\r\n", head).ok());
  EXPECT_EQ(GetErrorInfo(Parse(many + "a: b\r\n\r\n", head)).code, "head_too_large");
  const std::string large =
      "GET / HTTP/1.1\r\nHost: a\r\nx: " + std::string(70000, 'a') + "\r\n\r\n";
  EXPECT_EQ(GetErrorInfo(Parse(large, head)).code, "head_too_large");
  EXPECT_TRUE(ParseRequestHead(large, {.bytes = 80000}, head).ok());
}

ResponseHead ParseAnswer(const std::string& text, bool to_head = false) {
  static std::string kept;
  kept = text;
  ResponseHead head;
  const Status status = ParseResponseHead(kept, {}, to_head, head);
  EXPECT_TRUE(status.ok()) << text << status.ToString();
  return head;
}

TEST(ResponseHead, FindsTheFraming) {
  EXPECT_EQ(ParseAnswer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").framing, Framing::kLength);
  EXPECT_EQ(ParseAnswer("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").framing, Framing::kNone);
  EXPECT_EQ(ParseAnswer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").framing,
            Framing::kChunked);
  const ResponseHead open = ParseAnswer("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(open.framing, Framing::kUntilClose);
  EXPECT_FALSE(open.keep_alive);
  EXPECT_EQ(ParseAnswer("HTTP/1.1 204 No Content\r\n\r\n").framing, Framing::kNone);
  EXPECT_EQ(ParseAnswer("HTTP/1.1 100 Continue\r\n\r\n").framing, Framing::kNone);
  EXPECT_EQ(ParseAnswer("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n").framing,
            Framing::kNone);
  EXPECT_EQ(ParseAnswer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true).framing,
            Framing::kNone);
}

TEST(ResponseHead, RefusesBadAnswers) {
  for (const char* text :
       {"HTTP/1.1 2000 OK\r\n\r\n", "HTP/1.1 200 OK\r\n\r\n", "HTTP/3.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "<html>\r\n\r\n"}) {
    ResponseHead head;
    EXPECT_EQ(GetErrorInfo(ParseResponseHead(text, {}, false, head)).code, "bad_answer") << text;
  }
}

TEST(Head, EndIsFoundAcrossReads) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nBODY";
  size_t searched = 0;
  for (size_t size = 1; size < text.size() - 4; ++size) {
    ASSERT_EQ(FindHeadEnd(std::string_view(text).substr(0, size), searched), 0u);
    searched = size;
  }
  EXPECT_EQ(FindHeadEnd(text, searched), text.size() - 4);
}

TEST(Head, ValuesCannotEndTheirLine) {
  std::string out;
  AppendStatusLine(out, 404);
  AppendField(out, "X-Name", "a\r\nSet-Cookie: b");
  AppendField(out, "Content-Length", uint64_t{18446744073709551615u});
  EXPECT_EQ(out,
            "HTTP/1.1 404 Not Found\r\nX-Name: a  Set-Cookie: b\r\n"
            "Content-Length: 18446744073709551615\r\n");
}

TEST(Head, Tokens) {
  EXPECT_TRUE(HasToken("keep-alive, Close", "close"));
  EXPECT_TRUE(HasToken(" close ,x", "close"));
  EXPECT_FALSE(HasToken("closed, x", "close"));
  EXPECT_FALSE(HasToken("", "close"));
}

}  // namespace
}  // namespace llmd::http
