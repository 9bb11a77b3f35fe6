#include "gateway/body.h"

#include <gtest/gtest.h>

#include "support/temp_folder.h"

namespace llmd::gateway {
namespace {

TEST(ByteBudgetTest, TakesUpToItsLimit) {
  ByteBudget budget(100);
  EXPECT_TRUE(budget.TryTake(60));
  EXPECT_FALSE(budget.TryTake(41));
  EXPECT_TRUE(budget.TryTake(40));
  EXPECT_FALSE(budget.TryTake(1));
  budget.Give(100);
  EXPECT_EQ(budget.taken(), 0u);
}

TEST(RequestBodyTest, GivesBackWhatItTook) {
  ByteBudget budget(1000);
  {
    RequestBody body(budget);
    EXPECT_TRUE(body.Append(std::string(400, 'a')).ok());
    EXPECT_TRUE(body.Append(std::string(400, 'b')).ok());
    EXPECT_EQ(body.bytes().size(), 800u);
    EXPECT_GE(budget.taken(), 800u);
    RequestBody other(budget);
    EXPECT_EQ(GetErrorInfo(other.Append(std::string(300, 'c'))).code, "too_busy");
  }
  EXPECT_EQ(budget.taken(), 0u);
}

TEST(RequestBodyTest, TakesNoMoreThanIsExpected) {
  ByteBudget budget(1u << 20);
  RequestBody body(budget);
  body.Expect(700);
  EXPECT_TRUE(body.Append(std::string(400, 'a')).ok());
  EXPECT_TRUE(body.Append(std::string(300, 'a')).ok());
  EXPECT_EQ(budget.taken(), 700u);
}

TEST(RequestBodyTest, EditsArePieces) {
  ByteBudget budget(1000);
  RequestBody body(budget);
  ASSERT_TRUE(body.Append("0123456789").ok());
  body.Edit(0, 2, "AB!");
  body.Edit(5, 5, "+");
  body.Edit(8, 10, "");
  std::string out;
  for (const std::string_view view : body.Views()) out += view;
  EXPECT_EQ(out, "AB!234+567");
  EXPECT_EQ(body.edited_size(), out.size());
}

TEST(RequestBodyTest, SpillsToAFileWithoutAName) {
  const testing::TempFolder folder;
  ByteBudget budget(1000);
  RequestBody body(budget);
  ASSERT_TRUE(body.Append("hello ").ok());
  ASSERT_TRUE(body.Spill(folder.path()).ok());
  ASSERT_TRUE(body.Append("world").ok());
  ASSERT_TRUE(body.Spill(folder.path()).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_TRUE(body.spilled());
  EXPECT_EQ(body.edited_size(), 11u);
  char text[11];
  ASSERT_EQ(::pread(body.file(), text, sizeof text, 0), 11);
  EXPECT_EQ(std::string(text, sizeof text), "hello world");
  body.Edit(6, 11, "you");
  const auto pieces = body.Pieces();
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_TRUE(pieces[0].original);
  EXPECT_EQ(pieces[0].end, 6u);
  EXPECT_EQ(pieces[1].text, "you");
}

TEST(RequestBodyTest, SpillingNowhereFails) {
  ByteBudget budget(1000);
  RequestBody body(budget);
  ASSERT_TRUE(body.Append("x").ok());
  EXPECT_FALSE(body.Spill("/nowhere").ok());
}

}  // namespace
}  // namespace llmd::gateway
