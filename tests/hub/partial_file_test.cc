#include "hub/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/random_bytes.h"
#include "hub/status_matchers.h"
#include "support/temp_folder.h"

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;
using ::llmd::testing::FailsWith;
using ::llmd::testing::IsOk;
using ::llmd::testing::RandomBytes;

class PartialFileTest : public ::testing::Test {
 protected:
  FileEntry Entry(const std::string& content) const {
    return {.path = "model.bin",
            .size = static_cast<int64_t>(content.size()),
            .sha256 = Sha256Hex(content)};
  }
  StatusOr<PartialFile> Open(const FileEntry& file) { return PartialFile::Open(file, target_, {}); }
  // What a process that was killed after `bytes` leaves behind.
  void LeaveBehind(const FileEntry& file, std::string_view bytes) {
    auto partial = Open(file);
    ASSERT_THAT(partial, IsOk());
    ASSERT_THAT(partial->Append(bytes), IsOk());
    ASSERT_THAT(partial->Keep(), IsOk());
  }
  fs::path Part() const { return PartialFile::PartPath(target_); }
  fs::path Journal() const { return PartialFile::JournalPath(target_); }
  void ExpectNothingLeft() {
    EXPECT_FALSE(fs::exists(Journal()));
    EXPECT_FALSE(fs::exists(target_));
  }

  llmd::testing::TempFolder folder_;
  const fs::path target_ = folder_ / "model.bin";
  const std::string content_ = RandomBytes(100'000, 1);
};

TEST_F(PartialFileTest, AppearsOnlyWhenWhole) {
  auto partial = Open(Entry(content_));
  ASSERT_THAT(partial, IsOk());
  ASSERT_THAT(partial->Append(content_.substr(0, 60'000)), IsOk());
  EXPECT_FALSE(fs::exists(target_));
  ASSERT_THAT(partial->Append(content_.substr(60'000)), IsOk());
  ASSERT_THAT(partial->Finish(), IsOk());
  EXPECT_EQ(folder_.Read("model.bin"), content_);
  EXPECT_FALSE(fs::exists(Part()));
  EXPECT_FALSE(fs::exists(Journal()));
}

TEST_F(PartialFileTest, GoesOnWhereAnotherProcessWasKilled) {
  const FileEntry file = Entry(content_);
  LeaveBehind(file, content_.substr(0, 60'000));
  auto partial = Open(file);
  ASSERT_THAT(partial, IsOk());
  EXPECT_EQ(partial->size(), 60'000);
  EXPECT_EQ(partial->resumed(), 60'000);
  ASSERT_THAT(partial->Append(content_.substr(60'000)), IsOk());
  EXPECT_THAT(partial->Finish(), IsOk());
}

TEST_F(PartialFileTest, BytesThatWereNotNotedDoNotCount) {
  const FileEntry file = Entry(content_);
  LeaveBehind(file, content_.substr(0, 60'000));
  const auto part = OpenFile(Part(), O_WRONLY | O_APPEND);
  ASSERT_THAT(WriteAll(part->get(), "unnoted"), IsOk());
  EXPECT_EQ(Open(file)->size(), 60'000);
}

TEST_F(PartialFileTest, DamagedPartialFileIsFetchedAnew) {
  const FileEntry file = Entry(content_);
  LeaveBehind(file, content_.substr(0, 60'000));
  const auto part = OpenFile(Part(), O_RDWR);
  ASSERT_EQ(::pwrite(part->get(), "X", 1, 30'000), 1);
  EXPECT_EQ(Open(file)->size(), 0);
}

TEST_F(PartialFileTest, ShortenedPartialFileIsFetchedAnew) {
  const FileEntry file = Entry(content_);
  LeaveBehind(file, content_.substr(0, 60'000));
  fs::resize_file(Part(), 59'999);
  EXPECT_EQ(Open(file)->size(), 0);
}

TEST_F(PartialFileTest, AnotherCommitsFileIsFetchedAnew) {
  LeaveBehind(Entry(content_), content_.substr(0, 60'000));
  EXPECT_EQ(Open(Entry(RandomBytes(100'000, 2)))->size(), 0);
}

TEST_F(PartialFileTest, TornOrMadJournalCountsUpToThere) {
  const FileEntry file = Entry(content_);
  LeaveBehind(file, content_.substr(0, 40'000));
  const std::string journal = folder_.Read("model.bin.llmd-journal");
  for (const char* tail : {"40000 600", "40000 60000 ", "9 60000 abc\n", "40000 9999999999 abc\n",
                           "40000 -1 x\n", "x\n", "\n"}) {
    folder_.Write("model.bin.llmd-journal", journal + tail);
    EXPECT_EQ(Open(file)->size(), 40'000) << tail;
  }
  folder_.Write("model.bin.llmd-journal", "llmd-journal 9\n" + journal);
  EXPECT_EQ(Open(file)->size(), 0);
}

TEST_F(PartialFileTest, NotesOfATornJournalGoOnAfterIt) {
  const FileEntry file = Entry(content_);
  LeaveBehind(file, content_.substr(0, 40'000));
  folder_.Write("model.bin.llmd-journal", folder_.Read("model.bin.llmd-journal") + "40000 5");
  {
    auto partial = Open(file);
    ASSERT_THAT(partial->Append(content_.substr(40'000, 20'000)), IsOk());
    ASSERT_THAT(partial->Keep(), IsOk());
  }
  EXPECT_EQ(Open(file)->size(), 60'000);
}

TEST_F(PartialFileTest, WrongHashNamesBothAndLeavesNothing) {
  FileEntry file = Entry(content_);
  file.sha256 = std::string(64, '0');
  auto partial = Open(file);
  ASSERT_THAT(partial->Append(content_), IsOk());
  const Status status = partial->Finish();
  EXPECT_THAT(status, FailsWith(StatusCode::kDataLoss, "checksum_mismatch"));
  EXPECT_NE(Message(status).find(file.sha256), std::string::npos);
  EXPECT_NE(Message(status).find(Sha256Hex(content_)), std::string::npos);
  ExpectNothingLeft();
}

TEST_F(PartialFileTest, GitFilesAreCheckedByTheirBlobName) {
  FileEntry file{.path = "config.json",
                 .size = static_cast<int64_t>(content_.size()),
                 .git_oid = GitBlobSha1(content_)};
  auto partial = Open(file);
  ASSERT_THAT(partial->Append(content_), IsOk());
  EXPECT_THAT(partial->Finish(), IsOk());
  file.git_oid = std::string(40, '0');
  auto wrong = Open(file);
  ASSERT_THAT(wrong->Append(content_), IsOk());
  EXPECT_THAT(wrong->Finish(), FailsWith(StatusCode::kDataLoss, "checksum_mismatch"));
}

TEST_F(PartialFileTest, NeitherShorterNorLongerThanListed) {
  const FileEntry file = Entry(content_);
  auto partial = Open(file);
  ASSERT_THAT(partial->Append(content_), IsOk());
  EXPECT_EQ(partial->Append("x").code(), StatusCode::kDataLoss);
  auto shorter = Open(file);
  ASSERT_THAT(shorter->Append(content_.substr(1)), IsOk());
  EXPECT_THAT(shorter->Finish(), FailsWith(StatusCode::kDataLoss, "checksum_mismatch"));
}

TEST_F(PartialFileTest, LfsPointerIsNoContent) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') +
      "\nsize 5\n";
  auto partial = Open({.path = "model.bin", .size = static_cast<int64_t>(pointer.size())});
  ASSERT_THAT(partial->Append(pointer), IsOk());
  EXPECT_THAT(partial->Finish(), FailsWith(StatusCode::kDataLoss, "lfs_pointer"));
  ExpectNothingLeft();
}

TEST_F(PartialFileTest, WithoutAHashNothingIsResumed) {
  FileEntry file = Entry(content_);
  file.sha256.clear();
  LeaveBehind(file, content_.substr(0, 60'000));
  EXPECT_EQ(Open(file)->size(), 0);
}

TEST_F(PartialFileTest, AnEmptyFileIsAFile) {
  auto partial = Open(Entry(""));
  ASSERT_THAT(partial->Finish(), IsOk());
  EXPECT_TRUE(fs::exists(target_));
}

TEST_F(PartialFileTest, ALinkInItsPlaceIsNotFollowed) {
  const fs::path victim = folder_.Write("victim", "precious");
  fs::create_symlink(victim, Part());
  EXPECT_FALSE(Open(Entry(content_)).ok());
  EXPECT_EQ(folder_.Read("victim"), "precious");
}

TEST_F(PartialFileTest, SpaceThatIsTakenAlreadyIsNotMissing) {
  FileEntry file = Entry(content_);
  file.size = 64 << 20;
  EXPECT_EQ(PartialFile::MissingSpace(file, target_), file.size);
  {
    auto partial = Open(file);  // takes its room at once
    ASSERT_THAT(partial, IsOk());
  }
  struct stat info {};
  ASSERT_EQ(::stat(Part().c_str(), &info), 0);
  EXPECT_EQ(PartialFile::MissingSpace(file, target_),
            std::max<int64_t>(0, file.size - int64_t{info.st_blocks} * 512));
}

}  // namespace
}  // namespace llmd::hub
