// What every Registry promises, run against the one in SQLite and the fake.
#include "registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/fakes/fake_registry.h"
#include "support/temp_folder.h"

namespace llmd::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TempFolder;

struct Backend {
  std::string name;
  std::function<std::unique_ptr<Registry>(const TempFolder&)> make;
};

void PrintTo(const Backend& backend, std::ostream* out) { *out << backend.name; }

class RegistryContract : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    registry_ = GetParam().make(folder_);
    ASSERT_NE(registry_, nullptr);
  }
  int64_t Begin() {
    const auto epoch = registry_->BeginEpoch();
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    return epoch.value_or(0);
  }
  JobRecord Insert(const std::string& id, const std::string& key = "") {
    const auto job = registry_->InsertJob(MakeJob(id, key));
    EXPECT_TRUE(job.ok()) << job.status();
    return job.value_or(JobRecord{});
  }
  // Moves it, or says why not.
  Status Move(JobRecord& job, JobState to) {
    const JobState from = job.state;
    JobRecord next = job;
    next.state = to;
    const auto event = registry_->TransitionJob(next, from, "moved");
    if (event.ok()) job = event->job;
    return event.status();
  }
  static JobRecord MakeJob(const std::string& id, const std::string& key = "") {
    return {.id = id,
            .kind = "install",
            .idempotency_key = key,
            .subject = "acme/" + id,
            .payload = R"({"a":1})",
            .created_at = WallTime(std::chrono::microseconds(1'000'001)),
            .updated_at = WallTime(std::chrono::microseconds(1'000'002))};
  }
  static ModelRecord MakeModel(const std::string& name, const std::string& folder) {
    ModelRecord model{.name = name,
                      .folder_name = folder,
                      .state = ModelState::kInstalled,
                      .engine = "transformers",
                      .installed_at = WallTime(std::chrono::microseconds(123'456'789)),
                      .bytes_on_disk = int64_t{5} << 33,
                      .memory_bytes = int64_t{7} << 33};
    model.profile.repo_id = name;
    model.profile.architecture = "Qwen3ForCausalLM";
    model.profile.reasons = {"naïve \"quoted\"", ""};
    return model;
  }

  TempFolder folder_;
  std::unique_ptr<Registry> registry_;
};

TEST_P(RegistryContract, ModelsComeBackAsTheyWerePut) {
  const ModelRecord model = MakeModel("acme/tiny", "acme_tiny");
  ASSERT_TRUE(registry_->PutModel(model).ok());
  const auto got = registry_->GetModel("acme/tiny");
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->folder_name, model.folder_name);
  EXPECT_EQ(got->state, model.state);
  EXPECT_EQ(got->engine, model.engine);
  EXPECT_EQ(got->installed_at, model.installed_at);
  EXPECT_EQ(got->bytes_on_disk, model.bytes_on_disk);
  EXPECT_EQ(got->memory_bytes, model.memory_bytes);
  EXPECT_EQ(ProfileToJson(got->profile), ProfileToJson(model.profile));
}

TEST_P(RegistryContract, PutReplacesByNameAndKeepsAliases) {
  ModelRecord model = MakeModel("acme/tiny", "acme_tiny");
  ASSERT_TRUE(registry_->PutModel(model).ok());
  ASSERT_TRUE(registry_->SetAlias("t", "acme/tiny").ok());
  model.state = ModelState::kRemoving;
  ASSERT_TRUE(registry_->PutModel(model).ok());
  const auto list = registry_->ListModels();
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().state, ModelState::kRemoving);
  EXPECT_THAT(list->front().aliases, ElementsAre("t"));
}

TEST_P(RegistryContract, ListsModelsByName) {
  for (const char* name : {"b/x", "a/y", "a/x"}) {
    ASSERT_TRUE(registry_->PutModel(MakeModel(name, std::string(name) + "-folder")).ok());
  }
  std::vector<std::string> names;
  const auto models = registry_->ListModels();
  ASSERT_TRUE(models.ok());
  for (const ModelRecord& model : *models) names.push_back(model.name);
  EXPECT_THAT(names, ElementsAre("a/x", "a/y", "b/x"));
}

TEST_P(RegistryContract, AFolderHasOneModel) {
  ASSERT_TRUE(registry_->PutModel(MakeModel("a/b_c", "a_b_c")).ok());
  const Status status = registry_->PutModel(MakeModel("a_b/c", "a_b_c"));
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(GetErrorInfo(status).code, "folder_taken");
  EXPECT_EQ(registry_->ListModels()->size(), 1u);
}

TEST_P(RegistryContract, RemovingAModelTakesItsAliases) {
  ASSERT_TRUE(registry_->PutModel(MakeModel("a/x", "a_x")).ok());
  ASSERT_TRUE(registry_->SetAlias("x", "a/x").ok());
  ASSERT_TRUE(registry_->RemoveModel("a/x").ok());
  EXPECT_EQ(registry_->GetModel("a/x").status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(registry_->PutModel(MakeModel("a/x", "a_x")).ok());
  EXPECT_THAT(registry_->GetModel("a/x")->aliases, IsEmpty());
  EXPECT_TRUE(registry_->RemoveModel("never/there").ok());
}

TEST_P(RegistryContract, AliasesHaveOneOwner) {
  ASSERT_TRUE(registry_->PutModel(MakeModel("a/x", "a_x")).ok());
  ASSERT_TRUE(registry_->PutModel(MakeModel("a/y", "a_y")).ok());
  ASSERT_TRUE(registry_->SetAlias("fast", "a/x").ok());
  EXPECT_TRUE(registry_->SetAlias("fast", "a/x").ok());
  EXPECT_EQ(registry_->SetAlias("fast", "a/y").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(registry_->SetAlias("a/y", "a/x").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(registry_->SetAlias("other", "a/z").code(), StatusCode::kNotFound);
  ASSERT_TRUE(registry_->RemoveAlias("fast").ok());
  EXPECT_TRUE(registry_->SetAlias("fast", "a/y").ok());
}

TEST_P(RegistryContract, AModelsNameBeatsAnAlias) {
  ASSERT_TRUE(registry_->PutModel(MakeModel("a/x", "a_x")).ok());
  ASSERT_TRUE(registry_->SetAlias("a/y", "a/x").ok());
  ASSERT_TRUE(registry_->PutModel(MakeModel("a/y", "a_y")).ok());
  EXPECT_THAT(registry_->GetModel("a/x")->aliases, IsEmpty());
}

TEST_P(RegistryContract, AJobBeginsQueuedWithItsFirstEvent) {
  const JobRecord job = Insert("one");
  EXPECT_EQ(job.state, JobState::kQueued);
  const auto events = registry_->ListJobEvents("one", 0);
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(events->front().sequence, 1);
  EXPECT_EQ(events->front().type, "state");
  EXPECT_EQ(events->front().message, "queued");
  EXPECT_EQ(events->front().time, MakeJob("one").created_at);
  const auto got = registry_->GetJob("one");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->payload, R"({"a":1})");
  EXPECT_EQ(got->subject, "acme/one");
  EXPECT_EQ(got->created_at, MakeJob("one").created_at);
}

TEST_P(RegistryContract, TheSameKeyIsTheSameJobUntilItEnds) {
  const int64_t epoch = Begin();
  JobRecord first = Insert("one", "key");
  EXPECT_EQ(Insert("two", "key").id, "one");
  first.owner_epoch = epoch;
  ASSERT_TRUE(Move(first, JobState::kRunning).ok());
  EXPECT_EQ(Insert("three", "key").id, "one");
  ASSERT_TRUE(Move(first, JobState::kFailed).ok());
  EXPECT_EQ(Insert("four", "key").id, "four");
  EXPECT_EQ(Insert("five").id, "five");
  EXPECT_EQ(Insert("six").id, "six");
}

TEST_P(RegistryContract, TransitionsAreFencedByStateAndEpoch) {
  const int64_t old_epoch = Begin();
  JobRecord job = Insert("one");
  job.owner_epoch = old_epoch;
  ASSERT_TRUE(Move(job, JobState::kRunning).ok());
  EXPECT_EQ(job.owner_epoch, old_epoch);

  const int64_t epoch = Begin();
  EXPECT_GT(epoch, old_epoch);
  JobRecord stale = job;
  EXPECT_EQ(Move(stale, JobState::kSucceeded).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(registry_->AppendJobEvent(stale, "log", "late").status().code(),
            StatusCode::kFailedPrecondition);
  job.owner_epoch = epoch;
  // Not this daemon's until it has taken it over.
  EXPECT_EQ(registry_->AppendJobEvent(job, "log", "early").status().code(),
            StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Move(job, JobState::kQueued).ok());
  ASSERT_TRUE(Move(job, JobState::kRunning).ok());
  EXPECT_EQ(Move(stale, JobState::kFailed).code(), StatusCode::kFailedPrecondition);
  JobRecord wrong = job;
  wrong.state = JobState::kCancelling;
  EXPECT_EQ(Move(wrong, JobState::kCancelled).code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Move(job, JobState::kSucceeded).ok());
  EXPECT_EQ(registry_->ListJobEvents("one", 0)->size(), 5u);
}

TEST_P(RegistryContract, NothingFollowsAnEnd) {
  const int64_t epoch = Begin();
  for (const JobState end : {JobState::kSucceeded, JobState::kFailed, JobState::kCancelled}) {
    JobRecord job = Insert(std::string(ToString(end)));
    job.owner_epoch = epoch;
    ASSERT_TRUE(Move(job, JobState::kRunning).ok());
    ASSERT_TRUE(Move(job, end).ok());
    for (const JobState next : {JobState::kQueued, JobState::kRunning, JobState::kCancelling,
                                JobState::kSucceeded, JobState::kFailed, JobState::kCancelled}) {
      EXPECT_EQ(Move(job, next).code(), StatusCode::kFailedPrecondition) << ToString(next);
    }
    EXPECT_EQ(registry_->GetJob(job.id)->state, end);
  }
}

TEST_P(RegistryContract, EventsCarryTheJobAsItWas) {
  JobRecord job = Insert("one");
  job.owner_epoch = Begin();
  job.attempt = 1;
  ASSERT_TRUE(Move(job, JobState::kRunning).ok());
  job.step = "download";
  job.updated_at = WallTime(std::chrono::microseconds(2'000'000));
  const auto step = registry_->AppendJobEvent(job, "step", "download");
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_EQ(step->sequence, 3);
  ASSERT_TRUE(registry_->AppendJobEvent(job, "log", "a line").ok());
  JobRecord failed = job;
  failed.error = ErrorRecord{.code = "disk_full", .message = "no space", .next_step = "Free it."};
  failed.crashes = 2;
  ASSERT_TRUE(Move(failed, JobState::kFailed).ok());

  const auto events = registry_->ListJobEvents("one", 1);
  ASSERT_TRUE(events.ok());
  ASSERT_EQ(events->size(), 4u);
  EXPECT_EQ((*events)[0].job.step, "");
  EXPECT_EQ((*events)[0].job.state, JobState::kRunning);
  EXPECT_EQ((*events)[1].job.step, "download");
  EXPECT_EQ((*events)[1].time, job.updated_at);
  EXPECT_EQ((*events)[2].message, "a line");
  EXPECT_FALSE((*events)[2].job.error.has_value());
  ASSERT_TRUE((*events)[3].job.error.has_value());
  EXPECT_EQ((*events)[3].job.error->code, "disk_full");
  EXPECT_EQ((*events)[3].job.error->next_step, "Free it.");
  EXPECT_EQ((*events)[3].job.crashes, 2);
  EXPECT_EQ((*events)[3].job.attempt, 1);
  EXPECT_EQ((*events)[3].job.subject, "acme/one");
  EXPECT_THAT(*registry_->ListJobEvents("one", 5), IsEmpty());
}

TEST_P(RegistryContract, ListsJobsNewestFirst) {
  const int64_t epoch = Begin();
  for (const char* id : {"one", "two", "three"}) Insert(id);
  JobRecord two = *registry_->GetJob("two");
  two.owner_epoch = epoch;
  ASSERT_TRUE(Move(two, JobState::kCancelled).ok());
  const auto ids = [this](bool active_only) {
    std::vector<std::string> list;
    const auto jobs = registry_->ListJobs(active_only);
    for (const JobRecord& job : *jobs) list.push_back(job.id);
    return list;
  };
  EXPECT_THAT(ids(false), ElementsAre("three", "two", "one"));
  EXPECT_THAT(ids(true), ElementsAre("three", "one"));
}

TEST_P(RegistryContract, UnknownJobsAreNotFound) {
  const JobRecord ghost{.id = "ghost", .state = JobState::kRunning, .owner_epoch = Begin()};
  for (const Status& status :
       {registry_->GetJob("ghost").status(), registry_->ListJobEvents("ghost", 0).status(),
        registry_->TransitionJob(ghost, JobState::kQueued, "").status(),
        registry_->AppendJobEvent(ghost, "log", "").status()}) {
    EXPECT_EQ(status.code(), StatusCode::kNotFound) << status;
    EXPECT_EQ(GetErrorInfo(status).code, "job_not_found");
  }
}

TEST_P(RegistryContract, ServersComeBackAsTheyWerePut) {
  ServerRecord server{.model = "a/x",
                      .folder_name = "a_x",
                      .state = ServerState::kFailed,
                      .engine = "llama.cpp",
                      .pid = 77,
                      .endpoint = "unix:///run/x.sock",
                      .reserved_bytes = 5,
                      .started_at = WallTime(std::chrono::microseconds(5)),
                      .in_flight = 3,
                      .reason = "exit code 1"};
  ASSERT_TRUE(registry_->PutServer(server).ok());
  server.reason = "exit code 2";
  ASSERT_TRUE(registry_->PutServer(server).ok());
  const auto list = registry_->ListServers();
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 1u);
  const ServerRecord& got = list->front();
  EXPECT_EQ(got.model, "a/x");
  EXPECT_EQ(got.state, ServerState::kFailed);
  EXPECT_EQ(got.pid, 77);
  EXPECT_EQ(got.endpoint, server.endpoint);
  EXPECT_EQ(got.reserved_bytes, 5);
  EXPECT_EQ(got.started_at, server.started_at);
  EXPECT_FALSE(got.last_used_at.has_value());
  EXPECT_EQ(got.in_flight, 0);
  EXPECT_EQ(got.reason, "exit code 2");
  ASSERT_TRUE(registry_->RemoveServer("a_x").ok());
  EXPECT_TRUE(registry_->RemoveServer("a_x").ok());
  EXPECT_THAT(*registry_->ListServers(), IsEmpty());
}

TEST_P(RegistryContract, OneKeyFromManyThreadsIsOneJob) {
  std::vector<std::string> ids(16);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < ids.size(); ++i) {
    threads.emplace_back([this, &ids, i] {
      const auto job = registry_->InsertJob(MakeJob("job" + std::to_string(i), "key"));
      ids[i] = job.ok() ? job->id : job.status().ToString();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(ids, ::testing::Each(ids[0]));
  EXPECT_EQ(registry_->ListJobs(false)->size(), 1u);
}

TEST_P(RegistryContract, OldEndedJobsAreForgottenActiveOnesNever) {
  const int64_t epoch = Begin();
  Insert("waits");
  for (int i = 0; i <= 1001; ++i) {
    JobRecord job = Insert("job" + std::to_string(i));
    job.owner_epoch = epoch;
    ASSERT_TRUE(Move(job, JobState::kCancelled).ok());
  }
  Insert("last");
  EXPECT_EQ(registry_->ListJobs(false)->size(), 1002u);
  EXPECT_EQ(registry_->GetJob("job1").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(registry_->GetJob("job2").ok());
  EXPECT_TRUE(registry_->GetJob("waits").ok());
}

std::unique_ptr<Registry> OpenFile(const TempFolder& folder) {
  bool rebuilt = true;
  auto registry = OpenSqliteRegistry((folder / "registry.db").string(), &rebuilt);
  EXPECT_TRUE(registry.ok()) << registry.status();
  EXPECT_FALSE(rebuilt);
  return registry.ok() ? *std::move(registry) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(All, RegistryContract,
                         ::testing::Values(Backend{"sqlite", OpenFile},
                                           Backend{
                                               "fake",
                                               [](const TempFolder&) {
                                                 return std::make_unique<testing::FakeRegistry>();
                                               }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace llmd::registry
