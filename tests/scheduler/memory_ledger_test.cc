#include "scheduler/memory_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llmd::scheduler {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kGiB = int64_t{1} << 30;

TEST(MemoryLedgerTest, AdmitsWhatFitsAndRefusesTheRest) {
  MemoryLedger ledger({.memory_bytes = 10 * kGiB, .cpus = 8});
  ASSERT_TRUE(ledger.Reserve("a/x", 6 * kGiB).ok());
  EXPECT_EQ(ledger.reserved_bytes(), 6 * kGiB);
  const auto refused = ledger.Reserve("a/y", 5 * kGiB);
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorInfo(refused.status()).code, "does_not_fit");
  EXPECT_FALSE(GetErrorInfo(refused.status()).next_step.empty());
  const std::string message = Message(refused.status());
  for (const char* figure :
       {"a/y needs 5.0 GiB", "4.0 GiB of 10.0 GiB are free", "a/x (6.0 GiB)"}) {
    EXPECT_THAT(message, HasSubstr(figure));
  }
  EXPECT_EQ(ledger.reserved_bytes(), 6 * kGiB);
  EXPECT_TRUE(ledger.Reserve("a/y", 4 * kGiB).ok());
}

TEST(MemoryLedgerTest, ReleasingGivesBack) {
  MemoryLedger ledger({.memory_bytes = 10, .cpus = 4});
  ASSERT_TRUE(ledger.Reserve("a", 10).ok());
  ledger.Release("a");
  ledger.Release("a");
  ledger.Release("never");
  EXPECT_EQ(ledger.reserved_bytes(), 0);
  EXPECT_EQ(ledger.reserved_threads(), 0);
  EXPECT_TRUE(ledger.Reserve("b", 10).ok());
}

TEST(MemoryLedgerTest, ReservingAgainReplaces) {
  MemoryLedger ledger({.memory_bytes = 10, .cpus = 4});
  ASSERT_TRUE(ledger.Reserve("a", 8).ok());
  ASSERT_TRUE(ledger.Reserve("a", 9).ok());
  EXPECT_EQ(ledger.reserved_bytes(), 9);
}

TEST(MemoryLedgerTest, ThreadsLeaveRoomForTheNext) {
  MemoryLedger ledger({.memory_bytes = 100, .cpus = 8});
  EXPECT_EQ(ledger.Reserve("a", 1)->threads, 4);
  EXPECT_EQ(ledger.Reserve("b", 1)->threads, 2);
  EXPECT_EQ(ledger.Reserve("c", 1)->threads, 1);
  EXPECT_EQ(ledger.Reserve("d", 1)->threads, 1);
  EXPECT_EQ(ledger.Reserve("e", 1)->threads, 1) << "at least one, though all are taken";
  ledger.Release("a");
  EXPECT_EQ(ledger.Reserve("f", 1)->threads, 2);
  MemoryLedger small({.memory_bytes = 100, .cpus = 1});
  EXPECT_EQ(small.Reserve("a", 1)->threads, 1);
}

TEST(MemoryLedgerTest, ARestoredServerCountsThoughItDoesNotFit) {
  MemoryLedger ledger({.memory_bytes = 10, .cpus = 2});
  ledger.Restore("old", {.memory_bytes = 50, .threads = 2});
  EXPECT_EQ(ledger.reserved_bytes(), 50);
  const auto refused = ledger.Reserve("new", 1);
  EXPECT_EQ(GetErrorInfo(refused.status()).code, "does_not_fit");
  EXPECT_THAT(Message(refused.status()), HasSubstr("0 B of 10 B are free"));
}

}  // namespace
}  // namespace llmd::scheduler
