#include "pyenv/requirements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llmd::pyenv {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RequirementsTest, TheUsersLinesAreKeptAcrossBuilds) {
  const StatusOr<std::string> first = MergeRequirements({"torch", "transformers>=5"}, "");
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(*first, HasSubstr("\ntorch\ntransformers>=5\n"));
  const std::string edited = *first + "# mine\nsoundfile ; sys_platform == 'linux'\n-c other.txt\n";
  const StatusOr<std::string> second = MergeRequirements({"torch", "accelerate"}, edited);
  EXPECT_THAT(*second, EndsWith("# mine\nsoundfile ; sys_platform == 'linux'\n-c other.txt\n"));
  EXPECT_THAT(*second, HasSubstr("accelerate"));
  EXPECT_THAT(*second, Not(HasSubstr("transformers")));
  EXPECT_EQ(*MergeRequirements({"torch", "accelerate"}, *second), *second);
}

TEST(RequirementsTest, AFileThatIsNotOursIsAllTheUsers) {
  EXPECT_THAT(*MergeRequirements({"a"}, "theirs"), EndsWith("\ntheirs\n"));
  const std::string own = *MergeRequirements({"a"}, "");
  const std::string without_marker = own.substr(0, own.rfind("# Yours"));
  EXPECT_THAT(*MergeRequirements({"b"}, without_marker), Not(HasSubstr("\na\n")));
}

TEST(RequirementsTest, APackageIsOneRequirement) {
  for (const char* package : {"", "-r other.txt", "--index-url=https://x", "a\nb", "a\rb", " a",
                              "./local", "a\x7f", "#a"}) {
    const StatusOr<std::string> merged = MergeRequirements({package}, "");
    ASSERT_FALSE(merged.ok()) << package;
    EXPECT_EQ(GetErrorInfo(merged.status()).code, "bad_requirement");
  }
}

TEST(RequirementsTest, NamesTheProjects) {
  EXPECT_THAT(RequestedProjects("# torch\n  Torch[x] >= 2 ; os_name == 'posix'\r\n\n-r torch\n"
                                "typing_Extensions\nA.-_b==1 \\\n    --hash=sha256:00\nlast"),
              ElementsAre("torch", "typing-extensions", "a-b", "last"));
}

TEST(RequirementsTest, ALockCarriesWhatItWasMadeFrom) {
  const std::string lock = WriteLock({.inputs = "abc", .torch = "cpu"}, "idna==3\n");
  EXPECT_THAT(lock, EndsWith("idna==3\n"));
  ASSERT_TRUE(ReadLockHeader(lock).has_value());
  EXPECT_EQ(ReadLockHeader(lock)->inputs, "abc");
  EXPECT_EQ(ReadLockHeader(lock)->torch, "cpu");
  EXPECT_EQ(ReadLockHeader(WriteLock({.inputs = "abc", .torch = ""}, ""))->torch, "");
  EXPECT_FALSE(ReadLockHeader("").has_value());
  EXPECT_FALSE(ReadLockHeader("idna==3\n# inputs: abc\n").has_value());
}

}  // namespace
}  // namespace llmd::pyenv
