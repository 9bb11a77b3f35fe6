#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "support/temp_folder.h"

namespace llmd {
namespace {

namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
 protected:
  // Names in the folder, to see that nothing is left behind.
  size_t Entries() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }
  static mode_t ModeOf(const fs::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  testing::TempFolder folder_;
};

TEST_F(FileTest, ReadsWithinItsBound) {
  const fs::path file = folder_.Write("f", std::string(1000, 'x'));
  EXPECT_EQ(ReadFile(file, 1000)->size(), 1000u);
  const auto more = ReadFile(file, 999);
  EXPECT_EQ(more.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorInfo(more.status()).code, "file_too_large");
  EXPECT_EQ(ReadFile(folder_ / "none", 10).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(ReadFile(folder_.path(), 10).ok());
  // Has no end: the bound is what stops it.
  EXPECT_EQ(ReadFile("/dev/zero", 1 << 20).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(FileTest, ReplacesAtomicallyAndLeavesNoLitter) {
  const fs::path file = folder_ / "f";
  ASSERT_TRUE(WriteFileAtomically(file, "one").ok());
  ASSERT_TRUE(WriteFileAtomically(file, "two", 0644).ok());
  EXPECT_EQ(folder_.Read("f"), "two");
  EXPECT_EQ(ModeOf(file) & 0077, 0644u & 0077 & ~::umask(::umask(0)));
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(FileTest, AFailedReplacementLeavesTheOldContent) {
  fs::create_directory(folder_ / "d");
  folder_.Write("d/in", "x");
  EXPECT_FALSE(WriteFileAtomically(folder_ / "d", "text").ok());
  EXPECT_EQ(folder_.Read("d/in"), "x");
  EXPECT_FALSE(WriteFileAtomically(folder_ / "none" / "f", "text").ok());
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(FileTest, AReaderNeverSeesHalfAFile) {
  const fs::path file = folder_ / "f";
  const std::string a(100'000, 'a');
  const std::string b(100'000, 'b');
  ASSERT_TRUE(WriteFileAtomically(file, a).ok());
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(WriteFileAtomically(file, i % 2 ? a : b).ok());
    done = true;
  });
  while (!done) {
    const auto content = ReadFile(file, 1 << 20);
    EXPECT_TRUE(content.ok() && (*content == a || *content == b));
  }
  writer.join();
}

TEST_F(FileTest, ANewFileIsPrivateByDefault) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "secret", "x").ok());
  EXPECT_EQ(ModeOf(folder_ / "secret"), 0600u);
}

TEST_F(FileTest, MakesFoldersWithParents) {
  EXPECT_TRUE(MakeFolders(folder_ / "a/b/c", 0700).ok());
  EXPECT_TRUE(MakeFolders(folder_ / "a/b/c").ok());
  EXPECT_EQ(ModeOf(folder_ / "a/b"), 0700u);
  folder_.Write("file", "");
  EXPECT_FALSE(MakeFolders(folder_ / "file").ok());
  EXPECT_FALSE(MakeFolders(folder_ / "file/below").ok());
}

TEST_F(FileTest, MakesFoldersFromManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> fine = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { fine += MakeFolders(folder_ / "a/b/c/d/e").ok(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(fine, 8);
}

TEST_F(FileTest, RemovingATreeFollowsNoLink) {
  folder_.Write("outside/kept", "x");
  fs::create_directories(folder_ / "tree/sub");
  fs::create_directory_symlink(folder_ / "outside", folder_ / "tree/sub/link");
  folder_.Write("tree/file", "y");
  EXPECT_TRUE(RemoveTree(folder_ / "tree").ok());
  EXPECT_FALSE(fs::exists(folder_ / "tree"));
  EXPECT_EQ(folder_.Read("outside/kept"), "x");
  fs::create_directory_symlink(folder_ / "outside", folder_ / "link");
  EXPECT_TRUE(RemoveTree(folder_ / "link").ok());
  EXPECT_EQ(folder_.Read("outside/kept"), "x");
  EXPECT_TRUE(RemoveTree(folder_ / "never").ok());
}

TEST_F(FileTest, ARenameNeverReplaces) {
  folder_.Write("a/in", "a");
  folder_.Write("b/in", "b");
  fs::create_directory(folder_ / "empty");
  for (const char* taken : {"b", "empty"}) {
    EXPECT_EQ(RenameNoReplace(folder_ / "a", folder_ / taken).code(), StatusCode::kAlreadyExists);
  }
  EXPECT_TRUE(RenameNoReplace(folder_ / "a", folder_ / "c").ok());
  EXPECT_EQ(folder_.Read("c/in"), "a");
  EXPECT_EQ(RenameNoReplace(folder_ / "a", folder_ / "d").code(), StatusCode::kNotFound);
  EXPECT_EQ(folder_.Read("b/in"), "b");
}

TEST_F(FileTest, ExchangesTwoPaths) {
  folder_.Write("a/in", "a");
  folder_.Write("b/in", "b");
  const Status status = ExchangePaths(folder_ / "a", folder_ / "b");
  if (status.code() == StatusCode::kUnimplemented) GTEST_SKIP() << status;
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(folder_.Read("a/in"), "b");
  EXPECT_EQ(folder_.Read("b/in"), "a");
  EXPECT_FALSE(ExchangePaths(folder_ / "a", folder_ / "none").ok());
}

TEST_F(FileTest, DescriptorsCloseThemselves) {
  const fs::path file = folder_.Write("f", "x");
  int raw = -1;
  {
    FileDescriptor first = *OpenFile(file, O_RDONLY);
    raw = first.get();
    EXPECT_EQ(::fcntl(raw, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    FileDescriptor second = std::move(first);
    EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(second.get(), raw);
  }
  EXPECT_EQ(::fcntl(raw, F_GETFD), -1);
  FileDescriptor kept = *OpenFile(file, O_RDONLY);
  raw = kept.Release();
  kept.Close();
  EXPECT_NE(::fcntl(raw, F_GETFD), -1);
  ::close(raw);
}

TEST_F(FileTest, WritingToAFullDeviceIsDiskFull) {
  const auto full = OpenFile("/dev/full", O_WRONLY);
  if (!full.ok()) GTEST_SKIP() << full.status();
  EXPECT_EQ(GetErrorInfo(WriteAll(full->get(), "x")).code, "disk_full");
}

}  // namespace
}  // namespace llmd
