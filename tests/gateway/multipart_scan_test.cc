#include "gateway/multipart_scan.h"

#include <gtest/gtest.h>

namespace llmd::gateway {
namespace {

std::string Part(const std::string& headers, const std::string& data) {
  return "--b\r\n" + headers + "\r\n\r\n" + data + "\r\n";
}
std::string Named(const std::string& name, const std::string& data) {
  return Part("Content-Disposition: form-data; name=\"" + name + "\"", data);
}

// Feeds in steps; the code of what went wrong, or "".
std::string Scan(MultipartScan& scan, std::string_view body, size_t step) {
  for (size_t at = 0; at < body.size(); at += step) {
    const Status status = scan.Feed(body.substr(at, step));
    if (!status.ok()) return GetErrorInfo(status).code;
  }
  const Status end = scan.Finish();
  return end.ok() ? "" : GetErrorInfo(end).code;
}
std::string Scan(const std::string& body) {
  MultipartScan scan("b", "model");
  return Scan(scan, body, 7);
}

TEST(MultipartScanTest, FindsAFieldWhateverTheSteps) {
  const std::string body = Named("file\"; filename=\"a.wav", "xx\r\n--\r\n-b\r\n--c\r\n\r\n") +
                           Named("empty", "") + Named("model", "acme/tiny") + Named("n", "1") +
                           "--b--\r\nepilogue";
  for (size_t step = 1; step <= body.size(); ++step) {
    MultipartScan scan("b", "model");
    ASSERT_EQ(Scan(scan, body, step), "") << step;
    ASSERT_TRUE(scan.found()) << step;
    EXPECT_EQ(scan.found()->value, "acme/tiny");
    EXPECT_EQ(body.substr(scan.found()->begin, scan.found()->end - scan.found()->begin),
              "acme/tiny");
  }
}

TEST(MultipartScanTest, AFormWithoutIt) {
  MultipartScan scan("b", "model");
  EXPECT_EQ(Scan(scan, Named("file", "x") + "--b--", 100), "");
  EXPECT_FALSE(scan.found());
}

TEST(MultipartScanTest, RefusesWhatHasTwoReadings) {
  const std::string end = "--b--\r\n";
  EXPECT_EQ(Scan(Named("model", "x") + Named("model", "y") + end), "duplicate_key");
  for (const std::string& body :
       {std::string(), std::string("--b"), Named("model", "x"), "junk" + Named("model", "x") + end,
        Named("model", std::string(5000, 'x')) + end, Part("X: y", "x") + end,
        Part("Content-Disposition: attachment; name=\"model\"", "x") + end,
        Part("Content-Disposition: form-data", "x") + end,
        Part("Content-Disposition: form-data; name*=UTF-8''model", "x") + end,
        Part("Content-Disposition: form-data; name=\"a\"; name=\"model\"", "x") + end,
        Part("Content-Disposition: form-data; name=\"mod%65l\"", "x") + end,
        Part("Content-Disposition: form-data; name=\"mod\\el\"", "x") + end,
        Part("Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; "
             "name=\"model\"",
             "x") +
            end,
        Part("Content-Disposition: form-data;\r\n name=\"model\"", "x") + end,
        Part("no colon", "x") + end, "--b \r\n\r\n" + end,
        Part("X: " + std::string(10'000, 'y') + "\r\nContent-Disposition: form-data; name=\"a\"",
             "x") +
            end}) {
    EXPECT_EQ(Scan(body), "invalid_multipart") << body.substr(0, 200);
  }
  std::string many;
  for (int i = 0; i < 200; ++i) many += Named("a", "1");
  EXPECT_EQ(Scan(many + end), "invalid_multipart");
}

TEST(BoundaryTest, OnlyPlainOnes) {
  EXPECT_EQ(BoundaryOf("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(BoundaryOf("multipart/form-data; charset=x; Boundary=\"a b'c\""), "a b'c");
  for (const char* bad :
       {"multipart/form-data",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=\"a\x01\"", "multipart/form-data; boundary=\"a \""}) {
    EXPECT_EQ(BoundaryOf(bad), "") << bad;
  }
  EXPECT_EQ(BoundaryOf("multipart/form-data; boundary=" + std::string(71, 'a')), "");
}

}  // namespace
}  // namespace llmd::gateway
