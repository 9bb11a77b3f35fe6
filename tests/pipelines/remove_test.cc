#include "pipelines/remove.h"

#include <gmock/gmock.h>

#include "daemon_fixture.h"
#include "support/fakes/fake_registry.h"
#include "support/gate.h"

namespace llmd::pipelines {
namespace {

using ::testing::ElementsAre;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RemoveTest : public ::testing::Test {
 protected:
  void Boot(TestDaemon::Watcher watcher = {}) {
    daemon_.reset();
    daemon_ = std::make_unique<TestDaemon>(world_, registry_, std::move(watcher));
    daemon_->Start();
  }
  void Install() {
    ASSERT_EQ(daemon_->Finish(daemon_->Install("acme/tiny")).state, JobState::kSucceeded);
  }
  void Serve() {
    Gate ready;
    daemon_->router_.Start("acme/tiny", {},
                           [&ready](const StatusOr<ServerRecord>&) { ready.Open(); });
    daemon_->supervisor_.Ready("acme_tiny", "unix:///x.sock");
    ready.Wait();
  }

  World world_;
  testing::FakeRegistry registry_;
  std::unique_ptr<TestDaemon> daemon_;
};

TEST_F(RemoveTest, TakesFolderRecordAndTrash) {
  Boot();
  Install();
  const JobRecord job = daemon_->Finish(daemon_->Remove("tiny"));
  EXPECT_EQ(job.state, JobState::kSucceeded) << job.error.value_or(ErrorRecord{}).message;
  EXPECT_EQ(job.subject, "acme/tiny");
  EXPECT_THAT(world_.Models(), IsEmpty());
  EXPECT_THAT(world_.Staging(), IsEmpty());
  EXPECT_FALSE(daemon_->models_.Get("acme/tiny").ok());
  EXPECT_FALSE(registry_.GetModel("acme/tiny").ok());
  EXPECT_EQ(GetErrorInfo(daemon_->Remove("acme/tiny").status()).code, "model_not_found");
}

TEST_F(RemoveTest, ARunningModelIsRefusedWithoutForce) {
  Boot();
  Install();
  Serve();
  const auto refused = daemon_->Remove("acme/tiny");
  EXPECT_EQ(GetErrorInfo(refused.status()).code, "model_running");
  EXPECT_THAT(GetErrorInfo(refused.status()).next_step, HasSubstr("llmctl stop acme/tiny"));
  const JobRecord forced = daemon_->Finish(daemon_->Remove("acme/tiny", true));
  EXPECT_EQ(forced.state, JobState::kSucceeded);
  EXPECT_THAT(daemon_->supervisor_.List(), IsEmpty());
  EXPECT_THAT(world_.Models(), IsEmpty());
}

TEST_F(RemoveTest, AServerThatStartedMeanwhileIsNotPulledDown) {
  Boot();
  Install();
  daemon_ = std::make_unique<TestDaemon>(world_, registry_);
  ASSERT_TRUE(daemon_->models_.Load().ok());
  // The request is checked, no worker has taken the job up yet.
  const auto remove = daemon_->Remove("acme/tiny");
  Serve();
  ASSERT_TRUE(daemon_->jobs_->Start(daemon_->pipelines_->Runners()).ok());
  const JobRecord job = daemon_->Finish(remove);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.error->code, "model_running");
  EXPECT_EQ(daemon_->models_.Get("acme/tiny")->record.state, ModelState::kInstalled);
  EXPECT_EQ(daemon_->router_.Server("acme/tiny")->state, ServerState::kReady);
  EXPECT_THAT(world_.Models(), ElementsAre("acme_tiny"));
}

TEST_F(RemoveTest, NobodyCanStartWhatIsBeingRemoved) {
  StatusOr<ServerRecord> answer = Cancelled();
  Boot([&](const JobEventRecord& event) {
    if (event.job.kind != "remove" || event.message != "remove") return;
    daemon_->router_.Start("acme/tiny", {},
                           [&answer](const StatusOr<ServerRecord>& result) { answer = result; });
  });
  Install();
  EXPECT_EQ(daemon_->Finish(daemon_->Remove("acme/tiny")).state, JobState::kSucceeded);
  EXPECT_EQ(GetErrorInfo(answer.status()).code, "model_not_installed");
  EXPECT_THAT(daemon_->supervisor_.starts(), IsEmpty());
}

TEST_F(RemoveTest, AFailureLeavesAModelThatCanBeUsed) {
  Boot();
  Install();
  // Where the trash would go there is a file.
  fs::remove_all(world_.home().staging());
  std::ofstream(world_.home().staging()) << "in the way";
  const JobRecord job = daemon_->Finish(daemon_->Remove("acme/tiny"));
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(daemon_->models_.Get("acme/tiny")->record.state, ModelState::kInstalled);
  EXPECT_TRUE(fs::exists(world_.home().model("acme_tiny") / "model_info.json"));
  fs::remove(world_.home().staging());
  EXPECT_EQ(daemon_->Finish(daemon_->Remove("acme/tiny")).state, JobState::kSucceeded);
}

TEST_F(RemoveTest, ARecordThatCouldNotBeDeletedIsDeletedLater) {
  bool failed = false;
  Boot([&](const JobEventRecord& event) {
    // The next write deletes the model's record: the folder is in the trash by then.
    if (event.type == "step" && event.message == "remove" && !std::exchange(failed, true)) {
      registry_.FailWrites(1, ResourceExhausted("disk full"));
    }
  });
  Install();
  EXPECT_EQ(daemon_->Finish(daemon_->Remove("acme/tiny")).state, JobState::kFailed);
  EXPECT_THAT(world_.Models(), IsEmpty());
  EXPECT_EQ(daemon_->Finish(daemon_->Remove("acme/tiny")).state, JobState::kSucceeded);
  EXPECT_THAT(world_.Staging(), IsEmpty());
}

TEST_F(RemoveTest, AFolderThatAPersonDeletedIsNoObstacle) {
  Boot();
  Install();
  fs::remove_all(world_.home().model("acme_tiny"));
  EXPECT_EQ(daemon_->Finish(daemon_->Remove("acme/tiny")).state, JobState::kSucceeded);
  EXPECT_FALSE(daemon_->models_.Get("acme/tiny").ok());
}

TEST_F(RemoveTest, AFolderThatIsALinkIsUnlinkedNotEmptied) {
  Boot();
  Install();
  const fs::path elsewhere = world_.folder() / "big-disk";
  fs::rename(world_.home().model("acme_tiny"), elsewhere);
  fs::create_directory_symlink(elsewhere, world_.home().model("acme_tiny"));
  Boot();
  ASSERT_TRUE(daemon_->models_.Get("acme/tiny").ok());
  EXPECT_EQ(daemon_->Finish(daemon_->Remove("acme/tiny")).state, JobState::kSucceeded);
  EXPECT_THAT(world_.Models(), IsEmpty());
  EXPECT_TRUE(fs::exists(elsewhere / "model/config.json"));
}

TEST_F(RemoveTest, InstallAfterRemoveInOneGo) {
  Boot();
  Install();
  const auto remove = daemon_->Remove("acme/tiny");
  const auto install = daemon_->Install("acme/tiny");
  EXPECT_EQ(daemon_->Finish(remove).state, JobState::kSucceeded);
  EXPECT_EQ(daemon_->Finish(install).state, JobState::kSucceeded);
  EXPECT_EQ(daemon_->models_.Get("acme/tiny")->record.state, ModelState::kInstalled);
  EXPECT_THAT(world_.Models(), ElementsAre("acme_tiny"));
}

}  // namespace
}  // namespace llmd::pipelines
