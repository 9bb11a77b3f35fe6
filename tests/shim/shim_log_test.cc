// The log that llmd-shim keeps.
#include <gmock/gmock.h>

#include "shim/shim_fixture.h"

namespace llmd::shim {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ShimLog : public testing::ShimTest {};

TEST_F(ShimLog, HoldsBothStreamsAndSaysWhatHappened) {
  StartShim("echo out; echo err >&2; printf unfinished");
  EXPECT_THAT(End().last_log, ElementsAre("out", "err", "unfinished"));
  EXPECT_THAT(Log(), HasSubstr("started " + spec_.program.string() + " as process "));
  EXPECT_THAT(Log(), HasSubstr("\nout\nerr\nunfinished\n"));
  EXPECT_THAT(Log(), HasSubstr("the server ended with exit code 0\n"));
}

TEST_F(ShimLog, LongLinesAreWholeInTheFileAndCutInTheAnswer) {
  StartShim("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end; exit 1");
  const platform::ShimExit exit = End();
  ASSERT_EQ(exit.last_log.size(), 2u);
  EXPECT_EQ(exit.last_log[0].size(), platform::kMaxLastLogLine);
  EXPECT_EQ(exit.last_log[1], "end");
  EXPECT_THAT(Log(), HasSubstr(std::string(3'000'000, 'x') + "\nend\n"));
}

TEST_F(ShimLog, AnyBytesAreKeptAndToldReadably) {
  StartShim("printf '\\377\\376 \\033[31mred\\000\\n'; exit 1");
  const platform::ShimExit exit = End();
  ASSERT_EQ(exit.last_log.size(), 1u);
  EXPECT_THAT(exit.last_log[0], HasSubstr("red"));
  EXPECT_THAT(Log(), HasSubstr("\xff\xfe \x1b[31mred"));
}

TEST_F(ShimLog, IsRotatedAt16MiBAndThreeAreKept) {
  StartShim("head -c 90000000 /dev/zero | tr '\\0' 'a' | fold -w 1000; echo; echo done");
  EXPECT_EQ(End().last_log.back(), "done");
  uint64_t files = 0;
  uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(home_ / "logs")) {
    ++files;
    bytes += entry.file_size();
    EXPECT_LE(entry.file_size(), (16u << 20) + (64u << 10)) << entry.path();
  }
  EXPECT_EQ(files, 4u);
  EXPECT_GT(bytes, uint64_t{48} << 20);
  for (const char* name : {"server.log", "server.log.1", "server.log.2", "server.log.3"}) {
    EXPECT_TRUE(fs::exists(home_ / (std::string("logs/") + name))) << name;
  }
}

}  // namespace
}  // namespace llmd::shim
