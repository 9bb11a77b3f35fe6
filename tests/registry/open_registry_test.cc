// Opening: what happens to damaged, foreign and newer files, and that commits survive SIGKILL.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "base/file.h"
#include "registry/registry.h"
#include "support/temp_folder.h"

namespace llmd::registry {
namespace {

namespace fs = std::filesystem;
using testing::TempFolder;

class OpenRegistryTest : public ::testing::Test {
 protected:
  StatusOr<std::unique_ptr<Registry>> Open() { return OpenSqliteRegistry(path_, &rebuilt_); }
  // A registry with models, closed.
  void Fill(int models) {
    const auto registry = Open();
    ASSERT_TRUE(registry.ok()) << registry.status();
    for (int i = 0; i < models; ++i) {
      const std::string name = "acme/model-" + std::to_string(i);
      ASSERT_TRUE((*registry)->PutModel({.name = name, .folder_name = name}).ok());
    }
  }
  std::vector<std::string> KeptAside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename();
      if (name.starts_with("registry.db.damaged-") && !name.ends_with("-wal") &&
          !name.ends_with("-shm")) {
        names.push_back(name);
      }
    }
    return names;
  }
  // The file is usable, whatever was done to it: either its content is there, or it was set aside.
  void ExpectUsable(const std::string& what) {
    const auto registry = Open();
    ASSERT_TRUE(registry.ok()) << what << ": " << registry.status();
    EXPECT_EQ(KeptAside().size(), rebuilt_ ? 1u : 0u) << what;
    EXPECT_TRUE((*registry)->ListModels().ok()) << what;
    EXPECT_TRUE((*registry)->PutModel({.name = "new/one", .folder_name = "new_one"}).ok()) << what;
    EXPECT_TRUE((*registry)->InsertJob({.id = "j"}).ok()) << what;
  }

  TempFolder folder_;
  std::string path_ = (folder_ / "registry.db").string();
  bool rebuilt_ = false;
};

TEST_F(OpenRegistryTest, ContentIsThereAgain) {
  Fill(3);
  const auto registry = Open();
  ASSERT_TRUE(registry.ok());
  EXPECT_FALSE(rebuilt_);
  EXPECT_EQ((*registry)->ListModels()->size(), 3u);
}

TEST_F(OpenRegistryTest, OnlyItsOwnerMayReadIt) {
  const auto registry = Open();
  ASSERT_TRUE(registry.ok());
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(OpenRegistryTest, EpochsRiseAcrossRestarts) {
  int64_t last = 0;
  for (int i = 0; i < 3; ++i) {
    const auto registry = Open();
    ASSERT_TRUE(registry.ok());
    const int64_t epoch = *(*registry)->BeginEpoch();
    EXPECT_GT(epoch, last);
    last = epoch;
  }
}

TEST_F(OpenRegistryTest, AFileThatIsNoDatabaseIsSetAside) {
  folder_.Write("registry.db", std::string(10'000, 'x'));
  ExpectUsable("text");
  EXPECT_TRUE(rebuilt_);
  EXPECT_EQ(folder_.Read(KeptAside()[0]), std::string(10'000, 'x'));
}

TEST_F(OpenRegistryTest, AnotherProgramsDatabaseIsSetAside) {
  SQLite::Database(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE theirs (x)");
  ExpectUsable("foreign");
  EXPECT_TRUE(rebuilt_);
}

TEST_F(OpenRegistryTest, AMissingTableIsDamage) {
  Fill(1);
  SQLite::Database(path_, SQLite::OPEN_READWRITE).exec("DROP TABLE job_event");
  ExpectUsable("dropped");
  EXPECT_TRUE(rebuilt_);
}

TEST_F(OpenRegistryTest, AnEmptyFileIsANewRegistry) {
  folder_.Write("registry.db", "");
  ExpectUsable("empty");
  EXPECT_FALSE(rebuilt_);
}

TEST_F(OpenRegistryTest, ANewerSchemaIsRefusedAndLeftAlone) {
  Fill(2);
  SQLite::Database(path_, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 500");
  const auto registry = Open();
  EXPECT_EQ(registry.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(GetErrorInfo(registry.status()).code, "registry_too_new");
  EXPECT_THAT(KeptAside(), ::testing::IsEmpty());
  EXPECT_EQ(SQLite::Database(path_).execAndGet("SELECT count(*) FROM model").getInt(), 2);
}

TEST_F(OpenRegistryTest, AFolderThatIsNotThereIsAnErrorNotDamage) {
  bool rebuilt = false;
  const auto registry = OpenSqliteRegistry((folder_ / "none" / "registry.db").string(), &rebuilt);
  EXPECT_EQ(registry.status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(rebuilt);
}

TEST_F(OpenRegistryTest, AModelWithAnUnreadableProfileIsBrokenNotFatal) {
  Fill(2);
  SQLite::Database(path_, SQLite::OPEN_READWRITE)
      .exec("UPDATE model SET profile = '{\"kind\": 7' WHERE name = 'acme/model-0'");
  const auto registry = Open();
  ASSERT_TRUE(registry.ok());
  const auto models = (*registry)->ListModels();
  ASSERT_TRUE(models.ok());
  ASSERT_EQ(models->size(), 2u);
  EXPECT_EQ((*models)[0].state, ModelState::kBroken);
  EXPECT_NE((*models)[1].state, ModelState::kBroken);
}

TEST_F(OpenRegistryTest, AWriteAheadLogThatIsGoneIsNoDisaster) {
  const auto registry = Open();
  ASSERT_TRUE(registry.ok());
  ASSERT_TRUE((*registry)->PutModel({.name = "a/b", .folder_name = "a_b"}).ok());
  // A copy as a crash would leave it, without the log.
  fs::copy_file(path_, folder_ / "copy.db");
  bool rebuilt = false;
  const auto copy = OpenSqliteRegistry((folder_ / "copy.db").string(), &rebuilt);
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_TRUE((*copy)->PutModel({.name = "a/c", .folder_name = "a_c"}).ok());
}

TEST_F(OpenRegistryTest, SurvivesTruncation) {
  Fill(200);
  const std::string whole = folder_.Read("registry.db");
  for (const double share : {0.01, 0.1, 0.5, 0.9, 0.999}) {
    for (const auto& entry : fs::directory_iterator(folder_.path())) fs::remove(entry);
    const auto size = static_cast<size_t>(static_cast<double>(whole.size()) * share);
    folder_.Write("registry.db", std::string_view(whole).substr(0, size));
    ExpectUsable("truncated to " + std::to_string(size));
    EXPECT_TRUE(rebuilt_) << size;
  }
}

TEST_F(OpenRegistryTest, SurvivesFlippedBits) {
  Fill(200);
  const std::string whole = folder_.Read("registry.db");
  std::mt19937 random(20260131);
  for (int round = 0; round < 60; ++round) {
    for (const auto& entry : fs::directory_iterator(folder_.path())) fs::remove(entry);
    std::string damaged = whole;
    for (int flips = 0; flips < 1 + round % 5; ++flips) {
      const size_t at = random() % (round % 2 == 0 ? damaged.size() : 4096);
      // A flip in the version number may look like a newer schema, which is refused on purpose.
      if (at >= 60 && at < 64) continue;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    }
    folder_.Write("registry.db", damaged);
    ExpectUsable("round " + std::to_string(round));
  }
}

// Writes jobs for ever and tells each id once it is committed; never returns.
[[noreturn]] void WriteJobs(const std::string& path, int report, int round) {
  bool rebuilt = false;
  auto registry = OpenSqliteRegistry(path, &rebuilt);
  if (!registry.ok() || rebuilt) ::_exit(9);
  const int64_t epoch = (*registry)->BeginEpoch().value_or(0);
  for (int i = 0;; ++i) {
    const std::string id = std::to_string(round) + "-" + std::to_string(i);
    auto job = (*registry)->InsertJob({.id = id, .kind = "test"});
    if (!job.ok()) ::_exit(8);
    job->owner_epoch = epoch;
    job->state = JobState::kRunning;
    if (!(*registry)->TransitionJob(*job, JobState::kQueued, "begins").ok()) ::_exit(7);
    if (!WriteAll(report, id + "\n").ok()) ::_exit(6);
  }
}

TEST_F(OpenRegistryTest, NoAcknowledgedCommitIsLostToSigkill) {
  std::mt19937 random(7);
  size_t acknowledged = 0;
  for (int round = 0; round < 30; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) WriteJobs(path_, ends[1], round);
    ::close(ends[1]);
    // Reads some acknowledgements, kills in the midst of whatever is being written then, and takes
    // what was acknowledged until that moment.
    std::string told;
    const size_t enough = 8 + random() % 160;
    char buffer[512];
    for (;;) {
      const ssize_t got = ::read(ends[0], buffer, sizeof(buffer));
      if (got <= 0) break;
      told.append(buffer, static_cast<size_t>(got));
      if (told.size() >= enough) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);

    const auto registry = Open();
    ASSERT_TRUE(registry.ok()) << registry.status();
    ASSERT_FALSE(rebuilt_);
    for (size_t begin = 0; begin < told.size();) {
      const size_t end = told.find('\n', begin);
      if (end == std::string::npos) break;
      const auto job = (*registry)->GetJob(told.substr(begin, end - begin));
      ASSERT_TRUE(job.ok()) << job.status();
      EXPECT_EQ(job->state, JobState::kRunning);
      EXPECT_EQ((*registry)->ListJobEvents(job->id, 0)->size(), 2u);
      ++acknowledged;
      begin = end + 1;
    }
  }
  EXPECT_GT(acknowledged, 60u);
}

}  // namespace
}  // namespace llmd::registry
