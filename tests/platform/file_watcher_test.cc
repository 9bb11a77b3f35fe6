#include "platform/file_watcher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "base/mutex.h"
#include "support/processes.h"
#include "support/temp_folder.h"

namespace llmd::platform {
namespace {

namespace fs = std::filesystem;
using testing::TempFolder;

// Counts what a watch tells.
class Calls {
 public:
  std::function<void()> counter() {
    return [this] {
      MutexLock lock(mutex_);
      ++count_;
      changed_.NotifyAll();
    };
  }
  int count() const {
    MutexLock lock(mutex_);
    return count_;
  }
  // Waits for a call after the first `seen` ones.
  bool WaitForMoreThan(int seen) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(testing::kPatienceMs);
    MutexLock lock(mutex_);
    while (count_ <= seen) {
      if (!changed_.WaitUntil(mutex_, deadline)) return false;
    }
    return true;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  int count_ LLMD_GUARDED_BY(mutex_) = 0;
};

class FileWatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto watcher = MakeFileWatcher();
    ASSERT_TRUE(watcher.ok()) << Message(watcher.status());
    watcher_ = std::move(*watcher);
  }
  static void Append(const fs::path& file, std::string_view text) {
    std::ofstream(file, std::ios::app) << text;
  }

  TempFolder folder_;
  std::unique_ptr<FileWatcher> watcher_;
  Calls calls_;
};

TEST_F(FileWatcherTest, TellsGrowthCreationAndReplacement) {
  const fs::path file = folder_ / "server.log";
  auto watch = watcher_->Add(file, calls_.counter());
  ASSERT_TRUE(watch.ok()) << Message(watch.status());
  int seen = calls_.count();
  Append(file, "made");
  EXPECT_TRUE(calls_.WaitForMoreThan(seen));
  seen = calls_.count();
  Append(file, "grown");
  EXPECT_TRUE(calls_.WaitForMoreThan(seen));
  seen = calls_.count();
  folder_.Write("fresh", "new");
  fs::rename(folder_ / "fresh", file);
  EXPECT_TRUE(calls_.WaitForMoreThan(seen));
}

TEST_F(FileWatcherTest, OthersInTheFolderAreNotTold) {
  Calls other;
  auto watch = watcher_->Add(folder_ / "mine", calls_.counter());
  auto second = watcher_->Add(folder_ / "other", other.counter());
  ASSERT_TRUE(watch.ok() && second.ok());
  Append(folder_ / "other", "x");
  EXPECT_TRUE(other.WaitForMoreThan(0));
  EXPECT_EQ(calls_.count(), 0);
}

TEST_F(FileWatcherTest, AWatchThatIsGoneIsNotToldAndTheOthersGoOn) {
  Calls kept;
  auto watch = watcher_->Add(folder_ / "file", calls_.counter());
  auto second = watcher_->Add(folder_ / "file", kept.counter());
  ASSERT_TRUE(watch.ok() && second.ok());
  watch->reset();
  Append(folder_ / "file", "x");
  EXPECT_TRUE(kept.WaitForMoreThan(0));
  EXPECT_EQ(calls_.count(), 0);
}

TEST_F(FileWatcherTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_EQ(watcher_->Add(folder_ / "none/file", calls_.counter()).status().code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace llmd::platform
