#include "config/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace llmd::config {
namespace {

using ::testing::HasSubstr;

class FlagsTest : public ::testing::Test {
 protected:
  std::variant<Flags, int> Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "llmd");
    return ParseFlags(static_cast<int>(arguments.size()), arguments.data(), out_, err_);
  }
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(FlagsTest, ReadsEveryFlag) {
  const auto parsed =
      Parse({"--home", "/h", "--listen", "127.0.0.1:0", "--grpc-listen", "[::1]:0", "--log-level",
             "debug", "--address-file", "/a", "--ready-fd", "7", "--check-rules", "--quiet"});
  const Flags* flags = std::get_if<Flags>(&parsed);
  ASSERT_NE(flags, nullptr) << err_.str();
  EXPECT_EQ(flags->home, "/h");
  EXPECT_EQ(flags->listen, "127.0.0.1:0");
  EXPECT_EQ(flags->grpc_listen, "[::1]:0");
  EXPECT_EQ(flags->log_level, "debug");
  EXPECT_EQ(flags->address_file, "/a");
  EXPECT_EQ(flags->ready_fd, 7);
  EXPECT_TRUE(flags->check_rules);
  EXPECT_TRUE(flags->quiet);
}

TEST_F(FlagsTest, NoneIsFine) {
  const auto parsed = Parse({});
  const Flags* flags = std::get_if<Flags>(&parsed);
  ASSERT_NE(flags, nullptr);
  EXPECT_EQ(flags->ready_fd, -1);
  EXPECT_EQ(flags->home, "");
}

TEST_F(FlagsTest, HelpAndVersionAnswerOnStandardOutput) {
  const auto help = Parse({"--help"});
  ASSERT_NE(std::get_if<int>(&help), nullptr);
  EXPECT_EQ(std::get<int>(help), 0);
  for (const char* expected : {"--home", "--listen", "--address-file", "LLMD_HOME", "llmd.yaml"}) {
    EXPECT_THAT(out_.str(), HasSubstr(expected));
  }
  out_.str("");
  const auto version = Parse({"--version"});
  EXPECT_EQ(std::get<int>(version), 0);
  EXPECT_THAT(out_.str(), HasSubstr("llmd "));
  EXPECT_EQ(err_.str(), "");
}

TEST_F(FlagsTest, WrongUsageIsTwoAndNamesTheFlag) {
  const std::vector<std::vector<const char*>> wrong = {
      {"--no-such-flag"}, {"--listen"}, {"--ready-fd", "x"}, {"--ready-fd", "-3"}, {"extra"}};
  for (const auto& arguments : wrong) {
    err_.str("");
    const auto parsed = Parse(arguments);
    ASSERT_NE(std::get_if<int>(&parsed), nullptr) << arguments[0];
    EXPECT_EQ(std::get<int>(parsed), 2);
    EXPECT_THAT(err_.str(), HasSubstr(arguments[0]));
  }
}

}  // namespace
}  // namespace llmd::config
