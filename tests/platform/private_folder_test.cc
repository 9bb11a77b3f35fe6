#include "platform/private_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_folder.h"

namespace llmd::platform {
namespace {

using testing::TempFolder;

TEST(PrivateFolder, IsMadeForThisUserOnly) {
  TempFolder folder;
  const auto made = folder / "a/b";
  ASSERT_TRUE(MakePrivateFolder(made).ok());
  struct stat facts {};
  ASSERT_EQ(::stat(made.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  EXPECT_TRUE(CheckPrivateFolder(made).ok());
  EXPECT_TRUE(MakePrivateFolder(made).ok());
}

TEST(PrivateFolder, AnOpenOneIsRefusedUnlessItIsClosed) {
  TempFolder folder;
  const auto open = folder / "open";
  ASSERT_EQ(::mkdir(open.c_str(), 0755), 0);
  EXPECT_EQ(GetErrorInfo(CheckPrivateFolder(open)).code, "unsafe_folder");
  EXPECT_TRUE(MakePrivateFolder(open).ok());
  EXPECT_TRUE(CheckPrivateFolder(open).ok());
}

TEST(PrivateFolder, LinksAndFilesAreRefused) {
  TempFolder folder;
  const auto real = folder / "real";
  ASSERT_TRUE(MakePrivateFolder(real).ok());
  const auto link = folder / "link";
  ASSERT_EQ(::symlink(real.c_str(), link.c_str()), 0);
  EXPECT_EQ(GetErrorInfo(CheckPrivateFolder(link)).code, "unsafe_folder");
  EXPECT_FALSE(MakePrivateFolder(link).ok());
  EXPECT_FALSE(MakePrivateFolder(folder.Write("file", "")).ok());
  EXPECT_EQ(CheckPrivateFolder(folder / "none").code(), StatusCode::kNotFound);
}

TEST(PrivateFolder, OfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  TempFolder folder;
  const auto foreign = folder / "foreign";
  ASSERT_TRUE(MakePrivateFolder(foreign).ok());
  ASSERT_EQ(::chown(foreign.c_str(), 65534, 65534), 0);
  EXPECT_EQ(GetErrorInfo(MakePrivateFolder(foreign)).code, "unsafe_folder");
}

}  // namespace
}  // namespace llmd::platform
