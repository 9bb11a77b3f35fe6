// Install and remove, cut off by SIGKILL at every step: the next daemon ends what was begun.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon_fixture.h"
#include "support/gate.h"

namespace llmd::pipelines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Tells at which event the daemon is to die.
using Cut = std::function<bool(const JobEventRecord&)>;

Cut AtStep(const std::string& kind, const std::string& step) {
  return [=](const JobEventRecord& event) {
    return event.job.kind == kind && event.type == "step" && event.message == step;
  };
}

class CrashTest : public ::testing::Test {
 protected:
  std::unique_ptr<registry::Registry> OpenRegistry() {
    bool rebuilt = false;
    auto registry = registry::OpenSqliteRegistry(world_.home().registry().string(), &rebuilt);
    EXPECT_TRUE(registry.ok()) << registry.status();
    EXPECT_FALSE(rebuilt);
    return *std::move(registry);
  }
  // Runs `work` with a daemon in a process of its own, which is killed at `cut`.
  void RunAndDie(const Cut& cut, const std::function<void(TestDaemon&)>& work) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto registry = OpenRegistry();
      TestDaemon daemon(world_, *registry, [&cut](const JobEventRecord& event) {
        if (cut(event)) ::kill(::getpid(), SIGKILL);
      });
      daemon.Start();
      work(daemon);
      ::_exit(1);  // it was to be killed before
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the cut was never reached";
  }
  void InstallAndDie(const Cut& cut) {
    RunAndDie(cut, [](TestDaemon& daemon) { daemon.Finish(daemon.Install("acme/tiny")); });
  }
  // The next daemon ends it.
  void ExpectInstalled(const std::string& what) {
    const auto registry = OpenRegistry();
    TestDaemon daemon(world_, *registry);
    daemon.Start();
    const JobRecord job = daemon.FinishLeftover();
    EXPECT_EQ(job.state, JobState::kSucceeded)
        << what << ": " << job.error.value_or(ErrorRecord{}).message;
    const auto model = daemon.models_.Get("acme/tiny");
    ASSERT_TRUE(model.ok()) << what;
    EXPECT_EQ(model->record.state, ModelState::kInstalled) << what;
    EXPECT_THAT(world_.Models(), ElementsAre("acme_tiny")) << what;
    EXPECT_THAT(world_.Staging(), IsEmpty()) << what;
    EXPECT_TRUE(fs::exists(world_.home().model("acme_tiny") / "model/model.safetensors")) << what;
  }
  // No half-installed model is ever in models/.
  void ExpectNothingInPlace() { EXPECT_THAT(world_.Models(), IsEmpty()); }

  World world_;
};

TEST_F(CrashTest, BeforeTheJobBegan) {
  InstallAndDie([](const JobEventRecord& event) { return event.message == "queued"; });
  ExpectNothingInPlace();
  ExpectInstalled("queued");
}

class InstallCut : public CrashTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(InstallCut, IsGoneOnWith) {
  InstallAndDie(AtStep("install", GetParam()));
  ExpectNothingInPlace();
  ExpectInstalled(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Steps, InstallCut,
                         ::testing::Values("resolve", "download", "environment", "write", "place"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(CrashTest, InTheMidstOfADownload) {
  WriteTinyLlama(world_.folder() / "hub/tiny", 8u << 20);
  InstallAndDie([](const JobEventRecord& event) {
    return event.type == "progress" && event.job.bytes_done > 0;
  });
  ExpectNothingInPlace();
  ExpectInstalled("download");
}

TEST_F(CrashTest, AgainAndAgain) {
  for (const char* step : {"download", "environment", "write"}) {
    RunAndDie(AtStep("install", step), [](TestDaemon& daemon) {
      if (daemon.jobs_->List(true)->empty()) {
        daemon.Finish(daemon.Install("acme/tiny"));
      } else {
        daemon.FinishLeftover();
      }
    });
  }
  ExpectInstalled("three crashes");
}

TEST_F(CrashTest, BetweenTheRenameAndTheRecord) {
  InstallAndDie(AtStep("install", "place"));
  ASSERT_EQ(world_.Staging().size(), 1u);
  const fs::path staging = world_.home().staging() / world_.Staging()[0];
  fs::remove(staging / "install.json");
  fs::rename(staging, world_.home().model("acme_tiny"));
  ExpectInstalled("renamed");
}

TEST_F(CrashTest, AfterEverythingButTheJobsEnd) {
  InstallAndDie([](const JobEventRecord& event) {
    return event.type == "log" && event.message.find(" is installed in ") != std::string::npos;
  });
  ExpectInstalled("recorded");
}

TEST_F(CrashTest, WhileItWasBeingCancelled) {
  testing::Gate building;
  RunAndDie([](const JobEventRecord& event) { return event.job.state == JobState::kCancelling; },
            [&](TestDaemon& daemon) {
              daemon.environments_.SetBuilder(
                  [&](const pyenv::EnvRequest&, const CancelToken&) -> StatusOr<pyenv::EnvResult> {
                    building.Open();
                    testing::Gate never;
                    never.Wait();
                    return Cancelled();
                  });
              const auto job = daemon.Install("acme/tiny");
              building.Wait();
              if (!daemon.jobs_->Cancel(job->id).ok()) ::_exit(2);
              daemon.Finish(job);
            });
  ASSERT_EQ(world_.Staging().size(), 1u);
  const auto registry = OpenRegistry();
  TestDaemon daemon(world_, *registry);
  daemon.Start();
  EXPECT_EQ(daemon.FinishLeftover().state, JobState::kCancelled);
  EXPECT_THAT(world_.Staging(), IsEmpty());
  ExpectNothingInPlace();
}

class RemoveCut : public CrashTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(RemoveCut, IsGoneOnWith) {
  RunAndDie(AtStep("remove", GetParam()), [](TestDaemon& daemon) {
    daemon.Finish(daemon.Install("acme/tiny"));
    daemon.Finish(daemon.Remove("acme/tiny", true));
  });
  EXPECT_THAT(world_.Models(), ElementsAre("acme_tiny"));
  const auto registry = OpenRegistry();
  TestDaemon daemon(world_, *registry);
  daemon.Start();
  EXPECT_EQ(daemon.FinishLeftover().state, JobState::kSucceeded);
  EXPECT_THAT(world_.Models(), IsEmpty());
  EXPECT_THAT(world_.Staging(), IsEmpty());
  EXPECT_FALSE(daemon.models_.Get("acme/tiny").ok());
}

INSTANTIATE_TEST_SUITE_P(Steps, RemoveCut, ::testing::Values("stop", "remove"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(CrashTest, ARemovalThatGotAsFarAsTheTrash) {
  RunAndDie(AtStep("remove", "remove"), [](TestDaemon& daemon) {
    daemon.Finish(daemon.Install("acme/tiny"));
    // A person's own name for the folder: nothing that can be worked out from the model's.
    fs::rename(daemon.home_.model("acme_tiny"), daemon.home_.model("renamed"));
    if (!daemon.models_.Load().ok()) ::_exit(2);
    daemon.Finish(daemon.Remove("acme/tiny"));
  });
  fs::rename(
      world_.home().model("renamed"),
      world_.home().staging() / (".removed-" + Sha256Hex("acme/tiny").substr(0, 12) + "-0123abcd"));
  const auto registry = OpenRegistry();
  TestDaemon daemon(world_, *registry);
  daemon.Start();
  EXPECT_EQ(daemon.FinishLeftover().state, JobState::kSucceeded);
  EXPECT_THAT(world_.Staging(), IsEmpty());
  EXPECT_THAT(world_.Models(), IsEmpty());
}

}  // namespace
}  // namespace llmd::pipelines
