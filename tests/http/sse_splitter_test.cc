#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/upstream_client.h"

namespace llmd::http {
namespace {

using Events = std::vector<std::string>;

Events Split(std::string_view text, size_t step) {
  SseSplitter splitter;
  Events events;
  for (size_t at = 0; at < text.size(); at += step) {
    const Status status = splitter.Feed(text.substr(at, step),
                                        [&](std::string_view data) { events.emplace_back(data); });
    EXPECT_TRUE(status.ok());
  }
  return events;
}

TEST(SseSplitter, FindsEventsWhateverTheSteps) {
  const std::string text =
      "data: one\n\ndata:two\r\n\r\n: comment\nevent: x\nid: 7\ndata: three\ndata: four\n\n"
      "retry: 5\n\ndata\n\ndata:  five\n\ndata: unfinished\n";
  const Events expected = {"one", "two", "three\nfour", "", " five"};
  for (size_t step = 1; step <= text.size(); ++step) {
    EXPECT_EQ(Split(text, step), expected) << step;
  }
}

TEST(SseSplitter, KnowsLoneCarriageReturns) {
  EXPECT_EQ(Split("data: one\r\rdata: two\r\rdata: x", 100), (Events{"one", "two"}));
}

TEST(SseSplitter, BoundsAnEvent) {
  SseSplitter splitter;
  const std::string block(1u << 20, 'x');
  Status status = splitter.Feed("data: ", [](std::string_view) {});
  for (int i = 0; i < 9 && status.ok(); ++i) status = splitter.Feed(block, [](std::string_view) {});
  EXPECT_EQ(GetErrorInfo(status).code, "event_too_large");
}

}  // namespace
}  // namespace llmd::http
