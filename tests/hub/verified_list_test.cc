#include "hub/verified_list.h"

#include "base/hash.h"
#include "hub/status_matchers.h"
#include "support/temp_folder.h"

namespace llmd::hub {
namespace {

using ::llmd::testing::IsOk;

class VerifiedListTest : public ::testing::Test {
 protected:
  VerifiedListTest() { folder_.Write("a dir/model.bin", "content"); }
  // A list that has noted the file, as a later process sees it.
  VerifiedList Noted(const FileEntry& file) {
    FileEntry known = file;
    known.sha256 = Sha256Hex("content");
    EXPECT_THAT(VerifiedList(folder_.path()).Add(known), IsOk());
    return VerifiedList(folder_.path());
  }
  llmd::testing::TempFolder folder_;
  const FileEntry unvouched_{.path = "a dir/model.bin", .size = 7};
  const FileEntry vouched_{.path = "a dir/model.bin", .size = 7, .sha256 = Sha256Hex("content")};
};

TEST_F(VerifiedListTest, BelievesItsNoteWhileTheFileIsUntouched) {
  VerifiedList list = Noted(unvouched_);
  ASSERT_THAT(list.Load(), IsOk());
  EXPECT_EQ(list.Find(unvouched_), Sha256Hex("content"));
  folder_.Write("a dir/model.bin", "CONTENT");
  EXPECT_EQ(list.Find(unvouched_), "");
}

TEST_F(VerifiedListTest, WithoutANoteTheHashDecides) {
  VerifiedList list(folder_.path());
  EXPECT_EQ(list.Find(vouched_), Sha256Hex("content"));
  EXPECT_EQ(list.Find(unvouched_), "");
  const FileEntry git{.path = vouched_.path, .size = 7, .git_oid = GitBlobSha1("content")};
  EXPECT_EQ(list.Find(git), Sha256Hex("content"));
  FileEntry other = vouched_;
  other.sha256 = std::string(64, '0');
  EXPECT_EQ(list.Find(other), "");
}

TEST_F(VerifiedListTest, AnotherSizeOrKindOfFileDoesNotCount) {
  VerifiedList list(folder_.path());
  FileEntry longer = vouched_;
  longer.size = 8;
  EXPECT_EQ(list.Find(longer), "");
  std::filesystem::create_symlink(folder_ / "a dir/model.bin", folder_ / "link");
  FileEntry link = vouched_;
  link.path = "link";
  EXPECT_EQ(list.Find(link), "");
}

TEST_F(VerifiedListTest, TornLinesAreLeftOut) {
  VerifiedList list = Noted(unvouched_);
  folder_.Write(".llmd-verified", folder_.Read(".llmd-verified") + "\n\njunk\nabc 1 2 3");
  ASSERT_THAT(list.Load(), IsOk());
  EXPECT_EQ(list.Find(unvouched_), Sha256Hex("content"));
  ASSERT_THAT(list.Remove(), IsOk());
  EXPECT_FALSE(std::filesystem::exists(folder_ / ".llmd-verified"));
}

}  // namespace
}  // namespace llmd::hub
