#include "pyenv/environment_folder.h"

#include <gtest/gtest.h>

#include "support/temp_folder.h"

namespace llmd::pyenv {
namespace {

namespace fs = std::filesystem;

constexpr char kHash[] = "0123456789abcdef0123456789abcdef";
const std::vector<std::string> kSmoke = {"-c", "import x"};

class EnvironmentFolderTest : public ::testing::Test {
 protected:
  // `.venv-<hash>` with a file that says what is in it.
  void Build(const std::string& content) {
    temp_.Write(folder_.building(kHash).filename().string() + "/content", content);
    ASSERT_TRUE(EnvironmentFolder::MarkWhole(folder_.building(kHash), kHash, kSmoke).ok());
  }
  testing::TempFolder temp_;
  EnvironmentFolder folder_{temp_.path()};
};

TEST_F(EnvironmentFolderTest, OnlyTheMarkerMakesItWhole) {
  temp_.Write(".venv/bin/python", "");
  EXPECT_FALSE(EnvironmentFolder::IsWhole(folder_.placed(), kHash, kSmoke));
  ASSERT_TRUE(EnvironmentFolder::MarkWhole(folder_.placed(), kHash, kSmoke).ok());
  EXPECT_TRUE(EnvironmentFolder::IsWhole(folder_.placed(), kHash, kSmoke));
  EXPECT_FALSE(EnvironmentFolder::IsWhole(folder_.placed(), "another", kSmoke));
  EXPECT_FALSE(EnvironmentFolder::IsWhole(folder_.placed(), kHash, {}));
  temp_.Write(".venv/llmd-environment.json", "{broken");
  EXPECT_FALSE(EnvironmentFolder::IsWhole(folder_.placed(), kHash, kSmoke));
}

TEST_F(EnvironmentFolderTest, IsPutInAnEmptyPlace) {
  Build("new");
  ASSERT_TRUE(folder_.Place(kHash).ok());
  EXPECT_EQ(temp_.Read(".venv/content"), "new");
  EXPECT_FALSE(fs::exists(folder_.building(kHash)));
}

TEST_F(EnvironmentFolderTest, TakesThePlaceOfAnotherAtOnce) {
  temp_.Write(".venv/content", "old");
  Build("new");
  ASSERT_TRUE(folder_.Place(kHash).ok());
  EXPECT_EQ(temp_.Read(".venv/content"), "new");
  ASSERT_TRUE(folder_.RemoveLeftovers().ok());
  EXPECT_EQ(std::distance(fs::directory_iterator(temp_.path()), {}), 1);
}

TEST_F(EnvironmentFolderTest, ADanglingLinkInItsPlaceIsNoHindrance) {
  fs::create_symlink("/no/such/place", folder_.placed());
  Build("new");
  ASSERT_TRUE(folder_.Place(kHash).ok());
  EXPECT_EQ(temp_.Read(".venv/content"), "new");
}

TEST_F(EnvironmentFolderTest, LeftoversGoAndNothingElse) {
  Build("new");
  temp_.Write(".venv-work/x", "");
  temp_.Write(".venv-000000000000/x", "");
  temp_.Write(".venv/x", "");
  temp_.Write("model/x", "");
  ASSERT_TRUE(folder_.RemoveLeftovers(kHash).ok());
  EXPECT_FALSE(fs::exists(temp_ / ".venv-work"));
  EXPECT_FALSE(fs::exists(temp_ / ".venv-000000000000"));
  EXPECT_TRUE(fs::exists(folder_.building(kHash)));
  EXPECT_TRUE(fs::exists(temp_ / ".venv/x"));
  EXPECT_TRUE(fs::exists(temp_ / "model/x"));
  ASSERT_TRUE(folder_.RemoveLeftovers().ok());
  EXPECT_FALSE(fs::exists(folder_.building(kHash)));
}

}  // namespace
}  // namespace llmd::pyenv
