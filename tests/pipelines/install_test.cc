#include "pipelines/install.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/json_reader.h"
#include "daemon_fixture.h"
#include "scaffold/scaffold.h"
#include "support/fakes/fake_registry.h"
#include "support/gate.h"

namespace llmd::pipelines {
namespace {

using ::testing::ElementsAre;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class InstallTest : public ::testing::Test {
 protected:
  void Boot(TestDaemon::Watcher watcher = {}) {
    daemon_.reset();
    daemon_ = std::make_unique<TestDaemon>(world_, registry_, std::move(watcher));
    daemon_->Start();
  }
  // Another repository, with weights of its own.
  fs::path Repository(const std::string& folder, size_t bytes) {
    const fs::path path = world_.folder() / ("hub/" + folder);
    WriteTinyLlama(path, bytes);
    return path;
  }

  World world_;
  testing::FakeRegistry registry_;
  std::unique_ptr<TestDaemon> daemon_;
};

TEST_F(InstallTest, AnInstalledModelIsAWholeFolder) {
  Boot();
  const JobRecord job = daemon_->Finish(daemon_->Install("acme/tiny"));
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.error.value_or(ErrorRecord{}).message;
  const fs::path folder = world_.home().model("acme_tiny");
  for (const char* file : {"model/config.json", "model/model.safetensors", "model_info.json",
                           "config.yaml", "start.sh", "train.sh", "scripts/serve_api.sh",
                           "requirements.lock", ".venv/bin/python", "logs/install.log"}) {
    EXPECT_TRUE(fs::exists(folder / file)) << file;
  }
  EXPECT_FALSE(fs::exists(folder / "install.json"));
  EXPECT_THAT(world_.Staging(), IsEmpty());
  const auto model = daemon_->models_.Get("acme/tiny");
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->record.state, ModelState::kInstalled);
  EXPECT_EQ(model->record.engine, "transformers");
  EXPECT_GT(model->record.bytes_on_disk, 4096);
  EXPECT_GT(model->record.memory_bytes, 0);
  EXPECT_FALSE(model->launch.routes.empty());
  EXPECT_TRUE(registry_.GetModel("acme/tiny").ok());
  std::vector<std::string> steps;
  const auto events = daemon_->jobs_->Events(job.id, 0);
  for (const JobEventRecord& event : *events) {
    if (event.type == "step") steps.push_back(event.message);
  }
  EXPECT_THAT(steps, ElementsAre("resolve", "download", "environment", "write", "place"));
}

TEST_F(InstallTest, InstallingAgainFindsEverythingDone) {
  Boot();
  daemon_->Finish(daemon_->Install("acme/tiny"));
  const JobRecord again = daemon_->Finish(daemon_->Install("acme/tiny"));
  EXPECT_EQ(again.state, JobState::kSucceeded);
  EXPECT_THAT(daemon_->Log(again.id), HasSubstr("installed already"));
  EXPECT_THAT(daemon_->environments_.requests(), SizeIs(1));
}

TEST_F(InstallTest, BadIdsAndNamesAreRefusedBeforeThereIsAJob) {
  Boot();
  for (const char* id : {"", "../x", "a/b/c", "org/x y"}) {
    EXPECT_EQ(GetErrorInfo(daemon_->Install(id).status()).code, "invalid_repository_id") << id;
  }
  EXPECT_EQ(daemon_->Install("acme/tiny", "../evil").status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(*daemon_->jobs_->List(false), IsEmpty());
}

TEST_F(InstallTest, AnUnknownRepositoryFailsWithItsCode) {
  Boot();
  const JobRecord job = daemon_->Finish(daemon_->Install("acme/none"));
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.error->code, "repository_not_found");
  EXPECT_THAT(world_.Models(), IsEmpty());
}

TEST_F(InstallTest, WhatDoesNotFitIsRefusedUnlessForced) {
  Boot();
  MachineFacts small = testing::PlainMachine();
  small.memory_bytes = small.memory_available_bytes = 1 << 20;
  daemon_->machine_.Set(small);
  const JobRecord refused = daemon_->Finish(daemon_->Install("acme/tiny"));
  EXPECT_EQ(refused.state, JobState::kFailed);
  EXPECT_THAT(world_.Models(), IsEmpty());
  const JobRecord forced = daemon_->Finish(
      daemon_->pipelines_->Install({.source = {.repo_id = "acme/tiny"}, .wish = {.force = true}}));
  EXPECT_EQ(forced.state, JobState::kSucceeded) << forced.error.value_or(ErrorRecord{}).message;
}

TEST_F(InstallTest, ALocalFolderIsInstalledUnderItsOwnName) {
  Boot();
  const fs::path folder = Repository("my model (1)", 2048);
  const JobRecord job = daemon_->Finish(daemon_->Install(folder.string()));
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.error.value_or(ErrorRecord{}).message;
  EXPECT_EQ(job.subject, "local/my-model-1");
  EXPECT_THAT(world_.Models(), ElementsAre("local_my-model-1"));
}

TEST_F(InstallTest, TwoFoldersOfOneNameAreTwoModels) {
  Boot();
  const fs::path first = Repository("a/model", 2048);
  const fs::path second = Repository("b/model", 4096);
  EXPECT_EQ(daemon_->Finish(daemon_->Install(first.string())).state, JobState::kSucceeded);
  EXPECT_EQ(daemon_->Finish(daemon_->Install(first.string())).state, JobState::kSucceeded);
  EXPECT_EQ(GetErrorInfo(daemon_->Install(second.string()).status()).code, "name_taken");
  EXPECT_EQ(daemon_->Finish(daemon_->Install(second.string(), "local/second")).state,
            JobState::kSucceeded);
}

TEST_F(InstallTest, AFolderThatIsNotOursIsNeverTouched) {
  fs::create_directories(world_.home().model("acme_tiny"));
  std::ofstream(world_.home().model("acme_tiny") / "thesis.txt") << "precious";
  Boot();
  const JobRecord job = daemon_->Finish(daemon_->Install("acme/tiny"));
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.error->code, "folder_taken");
  EXPECT_EQ(world_.folder().Read("home/models/acme_tiny/thesis.txt"), "precious");
  const JobRecord other = daemon_->Finish(daemon_->Install("acme/tiny", "mine/tiny"));
  EXPECT_EQ(other.state, JobState::kSucceeded);
}

TEST_F(InstallTest, ABrokenModelHasToBeRemovedFirst) {
  Boot();
  daemon_->Finish(daemon_->Install("acme/tiny"));
  std::ofstream(world_.home().model("acme_tiny") / "model_info.json") << "{ broken";
  Boot();
  EXPECT_EQ(daemon_->models_.Get("acme/tiny")->record.state, ModelState::kBroken);
  const JobRecord job = daemon_->Finish(daemon_->Install("acme/tiny"));
  EXPECT_EQ(job.error->code, "model_broken");
  EXPECT_THAT(job.error->next_step, HasSubstr("llmctl remove acme/tiny"));
  EXPECT_EQ(daemon_->Finish(daemon_->Remove("acme/tiny")).state, JobState::kSucceeded);
  EXPECT_EQ(daemon_->Finish(daemon_->Install("acme/tiny")).state, JobState::kSucceeded);
}

TEST_F(InstallTest, AStepThatFailedIsTheOnlyOneDoneAgain) {
  Boot();
  daemon_->environments_.FailNext(MakeStatus(StatusCode::kFailedPrecondition, "no such package",
                                             {.code = "unsatisfiable", .next_step = "Look."}));
  const JobRecord failed = daemon_->Finish(daemon_->Install("acme/tiny"));
  EXPECT_EQ(failed.error->code, "unsatisfiable");
  EXPECT_EQ(failed.step, "environment");
  EXPECT_THAT(world_.Models(), IsEmpty());
  EXPECT_THAT(world_.Staging(), SizeIs(1)) << "what was fetched stays for the next attempt";
  const JobRecord again = daemon_->Finish(daemon_->Install("acme/tiny"));
  EXPECT_EQ(again.state, JobState::kSucceeded);
  EXPECT_THAT(world_.Staging(), IsEmpty());
}

TEST_F(InstallTest, WhatAnOlderPlanLeftInStagingIsPruned) {
  Boot();
  const fs::path model = StagingFor(world_.home(), "acme/tiny") / "model";
  fs::create_directories(model / "config.json");  // a folder where a file has to go
  std::ofstream(model / "config.json/in") << "x";
  fs::create_directories(model / "old/deep");
  std::ofstream(model / "old/deep/weights.bin") << "x";
  std::ofstream(model / "gone.safetensors.llmd-part") << "x";
  fs::create_directory_symlink(world_.folder() / "hub", model / "link");
  const JobRecord job = daemon_->Finish(daemon_->Install("acme/tiny"));
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.error.value_or(ErrorRecord{}).message;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(world_.home().model("acme_tiny") / "model")) {
    files.push_back(entry.path().filename());
  }
  EXPECT_THAT(
      files, ::testing::UnorderedElementsAre("config.json", "tokenizer.json", "model.safetensors"));
  EXPECT_TRUE(fs::exists(world_.folder() / "hub/tiny/config.json"));
}

TEST_F(InstallTest, ANameBelongsToOneRepository) {
  Boot();
  daemon_->hub_.Add("beta/other", Repository("other", 2048));
  daemon_->Finish(daemon_->Install("acme/tiny", "mine/m"));
  EXPECT_EQ(GetErrorInfo(daemon_->Install("beta/other", "mine/m").status()).code, "name_taken");
}

TEST_F(InstallTest, AnInstallUnderWayIsJoinedOnlyByItsLike) {
  Gate building;
  Gate go_on;
  Boot();
  daemon_->hub_.Add("beta/other", Repository("other", 2048));
  daemon_->environments_.SetBuilder([&](const pyenv::EnvRequest& request, const CancelToken&) {
    building.Open();
    go_on.Wait();
    return testing::FakeEnvBuilder::WriteFiles(request);
  });
  const auto first = daemon_->Install("acme/tiny", "mine/m");
  building.Wait();
  EXPECT_EQ(daemon_->Install("acme/tiny", "mine/m")->id, first->id);
  const auto other = daemon_->Install("beta/other", "mine/m");
  EXPECT_EQ(GetErrorInfo(other.status()).code, "install_under_way");
  EXPECT_THAT(Message(other.status()), HasSubstr("acme/tiny"));
  const auto variant = daemon_->pipelines_->Install(
      {.source = {.repo_id = "acme/tiny"}, .name = "mine/m", .wish = {.context = 512}});
  EXPECT_EQ(GetErrorInfo(variant.status()).code, "install_under_way");
  go_on.Open();
  EXPECT_EQ(daemon_->Finish(first).state, JobState::kSucceeded);
}

TEST_F(InstallTest, TwoNamesThatMeetInOneFolderGetTwo) {
  Gate both;
  std::atomic<int> waiting = 0;
  Boot();
  daemon_->hub_.Add("a/b_c", Repository("one", 2048));
  daemon_->hub_.Add("a_b/c", Repository("two", 8192));
  // Both are past the choice of their folder before either is in place.
  daemon_->environments_.SetBuilder([&](const pyenv::EnvRequest& request, const CancelToken&) {
    if (++waiting == 2) both.Open();
    both.Wait();
    return testing::FakeEnvBuilder::WriteFiles(request);
  });
  const auto one = daemon_->Install("a/b_c");
  const auto two = daemon_->Install("a_b/c");
  EXPECT_EQ(daemon_->Finish(one).state, JobState::kSucceeded);
  EXPECT_EQ(daemon_->Finish(two).state, JobState::kSucceeded);
  for (const auto& [name, bytes] : {std::pair("a/b_c", 2048), std::pair("a_b/c", 8192)}) {
    const auto model = daemon_->models_.Get(name);
    ASSERT_TRUE(model.ok()) << name;
    const fs::path folder = world_.home().model(model->record.folder_name);
    EXPECT_GT(fs::file_size(folder / "model/model.safetensors"), static_cast<size_t>(bytes));
    EXPECT_LT(fs::file_size(folder / "model/model.safetensors"), static_cast<size_t>(bytes) + 999);
    EXPECT_EQ(scaffold::ReadModelInfo(folder)->name, name);
    EXPECT_EQ(scaffold::ReadModelInfo(folder)->folder_name, model->record.folder_name);
  }
  EXPECT_THAT(world_.Models(), SizeIs(2));
  EXPECT_THAT(world_.Staging(), IsEmpty());
}

TEST_F(InstallTest, ARegistryThatCannotRecordItIsNoLoss) {
  Boot([this](const JobEventRecord& event) {
    // The next write is the model's record: the folder is in its place by then.
    if (event.type == "step" && event.message == "place") {
      registry_.FailWrites(1, ResourceExhausted("disk full"));
    }
  });
  const JobRecord failed = daemon_->Finish(daemon_->Install("acme/tiny"));
  EXPECT_EQ(failed.state, JobState::kFailed);
  EXPECT_THAT(world_.Models(), ElementsAre("acme_tiny"));
  const JobRecord again = daemon_->Finish(daemon_->Install("acme/tiny"));
  EXPECT_EQ(again.state, JobState::kSucceeded);
  EXPECT_EQ(daemon_->models_.Get("acme/tiny")->record.state, ModelState::kInstalled);
  EXPECT_THAT(daemon_->environments_.requests(), SizeIs(1));
}

// Builds an environment, which opens `building`, until it is cancelled.
auto UntilCancelled(Gate& building) {
  return [&building](const pyenv::EnvRequest&,
                     const CancelToken& cancel) -> StatusOr<pyenv::EnvResult> {
    Gate cancelled;
    const auto registration = cancel.OnCancel([&cancelled] { cancelled.Open(); });
    building.Open();
    cancelled.Wait();
    return Cancelled();
  };
}

TEST_F(InstallTest, ACancelledInstallLeavesNothing) {
  Gate building;
  Boot();
  daemon_->environments_.SetBuilder(UntilCancelled(building));
  const auto job = daemon_->Install("acme/tiny");
  building.Wait();
  ASSERT_TRUE(daemon_->jobs_->Cancel(job->id).ok());
  EXPECT_EQ(daemon_->Finish(job).state, JobState::kCancelled);
  EXPECT_THAT(world_.Staging(), IsEmpty());
  EXPECT_THAT(world_.Models(), IsEmpty());
}

TEST_F(InstallTest, AShutdownKeepsWhatWasFetched) {
  Gate building;
  Boot();
  daemon_->environments_.SetBuilder(UntilCancelled(building));
  const auto job = daemon_->Install("acme/tiny");
  building.Wait();
  daemon_->jobs_->Stop();
  EXPECT_THAT(world_.Staging(), SizeIs(1));
  Boot();
  const JobRecord ended = daemon_->FinishLeftover();
  EXPECT_EQ(ended.id, job->id);
  EXPECT_EQ(ended.state, JobState::kSucceeded);
  EXPECT_EQ(ended.attempt, 2);
  EXPECT_EQ(ended.crashes, 0);
}

TEST_F(InstallTest, ThePayloadHoldsNoToken) {
  InstallRequest request{.source = {.repo_id = "a/b",
                                    .revision = "dev",
                                    .credentials = {.token = "hf_secret", .endpoint = "http://e"},
                                    .offline = true},
                         .name = "c/d",
                         .wish = {.engine = "e", .variant = "v", .context = 7, .force = true}};
  const std::string payload = InstallPayload(request);
  EXPECT_EQ(payload.find("hf_secret"), std::string::npos);
  const auto back = ParseInstallPayload(payload);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->source.revision, "dev");
  EXPECT_EQ(back->source.credentials.endpoint, "http://e");
  EXPECT_TRUE(back->source.offline);
  EXPECT_EQ(back->wish.context, 7);
  EXPECT_TRUE(AsksForTheSame(request, *back));
  EXPECT_FALSE(ParseInstallPayload("{").ok());
}

TEST_F(InstallTest, CheckSaysWhatInstallWouldDoAndWritesNothing) {
  Boot();
  CancelSource cancel;
  const auto result =
      daemon_->pipelines_->Check({.source = {.repo_id = "acme/tiny"}}, cancel.token());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_EQ(result->profile.kind, "llm");
  EXPECT_TRUE(result->profile.supported);
  EXPECT_EQ(result->profile.architecture, "LlamaForCausalLM");
  EXPECT_THAT(world_.Staging(), IsEmpty());
  cancel.Cancel();
  EXPECT_EQ(daemon_->pipelines_->Check({.source = {.repo_id = "acme/tiny"}}, cancel.token())
                .status()
                .code(),
            StatusCode::kCancelled);
}

}  // namespace
}  // namespace llmd::pipelines
