#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>

#include "support/temp_folder.h"

namespace llmd {
namespace {

constexpr char kSha256OfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(HashTest, KnowsThePublishedDigests) {
  EXPECT_EQ(Sha256Hex("abc"), kSha256OfAbc);
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Hasher sha1(Hasher::Kind::kSha1);
  sha1.Update("abc");
  EXPECT_EQ(sha1.Finish(), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(HashTest, PiecesAndPeeksChangeNothing) {
  Hasher hasher(Hasher::Kind::kSha256);
  hasher.Update("a");
  EXPECT_EQ(hasher.Peek(), Sha256Hex("a"));
  hasher.Update("");
  hasher.Update("bc");
  Hasher moved = std::move(hasher);
  EXPECT_EQ(moved.Peek(), kSha256OfAbc);
  EXPECT_EQ(moved.Finish(), kSha256OfAbc);
}

TEST(HashTest, HashesAFileInPieces) {
  const testing::TempFolder folder;
  const std::string big(3'000'001, 'z');
  EXPECT_EQ(*Sha256OfFile(folder.Write("big", big)), Sha256Hex(big));
  EXPECT_EQ(*Sha256OfFile(folder.Write("empty", "")), Sha256Hex(""));
  EXPECT_EQ(Sha256OfFile(folder / "none").status().code(), StatusCode::kNotFound);
}

TEST(HashTest, NamesABlobAsGitDoes) {
  EXPECT_EQ(GitBlobSha1("what is up, doc?"), "bd9dbf5aae1a3862dd1526723246b20206e5fc37");
  EXPECT_EQ(GitBlobSha1(""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

TEST(HashTest, RandomIsLongEnoughAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(RandomHex(16));
  EXPECT_EQ(seen.size(), 100u);
  for (const std::string& text : seen) {
    EXPECT_EQ(text.size(), 32u);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

TEST(HashTest, ComparesSecrets) {
  EXPECT_TRUE(SameSecret("abc", "abc"));
  EXPECT_TRUE(SameSecret("", ""));
  EXPECT_FALSE(SameSecret("abc", "abd"));
  EXPECT_FALSE(SameSecret("abc", "ab"));
}

}  // namespace
}  // namespace llmd
