#include "platform/line_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace llmd::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Lines {
  LineSplitter::OnLine adder() {
    return [this](std::string_view line) { seen.emplace_back(line); };
  }
  std::vector<std::string> seen;
};

TEST(LineSplitter, JoinsPiecesAndKeepsTheRestForTheEnd) {
  LineSplitter splitter(100);
  Lines lines;
  splitter.Feed("one\ntw", lines.adder());
  splitter.Feed("o\r\n\nthr", lines.adder());
  EXPECT_THAT(lines.seen, ElementsAre("one", "two", ""));
  splitter.Finish(lines.adder());
  EXPECT_THAT(lines.seen, ElementsAre("one", "two", "", "thr"));
  splitter.Finish(lines.adder());
  EXPECT_EQ(lines.seen.size(), 4u);
}

TEST(LineSplitter, LeavesOutWhatIsTooLong) {
  LineSplitter splitter(4);
  Lines lines;
  splitter.Feed("123", lines.adder());
  splitter.Feed("456789", lines.adder());
  EXPECT_THAT(lines.seen, IsEmpty());
  splitter.Feed("0\nab\n", lines.adder());
  EXPECT_THAT(lines.seen, ElementsAre("1234", "ab"));
}

TEST(LineSplitter, EveryCutGivesTheSameLines) {
  const std::string text = "a\nbb\n\nccc\r\nd";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    LineSplitter splitter(100);
    Lines lines;
    splitter.Feed(std::string_view(text).substr(0, cut), lines.adder());
    splitter.Feed(std::string_view(text).substr(cut), lines.adder());
    splitter.Finish(lines.adder());
    EXPECT_THAT(lines.seen, ElementsAre("a", "bb", "", "ccc", "d")) << cut;
  }
}

}  // namespace
}  // namespace llmd::platform
