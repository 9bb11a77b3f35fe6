#include "rpc/utf8.h"

#include <gtest/gtest.h>

namespace llmd::rpc {
namespace {

TEST(TakeUtf8, TakesWholeText) {
  std::string pending = "a\u00e9\u20ac\U0001F600\n";
  const std::string whole = pending;
  EXPECT_EQ(TakeUtf8(pending), whole);
  EXPECT_EQ(pending, "");
}

TEST(TakeUtf8, KeepsAnUnfinishedCharacterForLater) {
  const std::string whole = "x\U0001F600";
  for (size_t cut = 2; cut < whole.size(); ++cut) {
    std::string pending = whole.substr(0, cut);
    EXPECT_EQ(TakeUtf8(pending), "x");
    pending += whole.substr(cut);
    EXPECT_EQ(TakeUtf8(pending), "\U0001F600");
  }
}

TEST(TakeUtf8, ReplacesWhatIsNotUtf8) {
  std::string pending = "a\xff\xc3(b\xed\xa0\x80";
  EXPECT_EQ(TakeUtf8(pending), "a\uFFFD\uFFFD(b\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(pending, "");
}

}  // namespace
}  // namespace llmd::rpc
