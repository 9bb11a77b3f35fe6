// A daemon's parts up to the pipelines, over a home on disk, with a hub, an environment builder and
// a supervisor that are fakes. Two after another on one home are a restart.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "detectors/detective.h"
#include "engines/engines.h"
#include "handlers/handlers.h"
#include "pipelines/pipelines.h"
#include "serving/server_router.h"
#include "support/fakes/fake_clock.h"
#include "support/fakes/fake_env_builder.h"
#include "support/fakes/fake_hub.h"
#include "support/fakes/fake_machine_probe.h"
#include "support/fakes/fake_supervisor.h"
#include "support/temp_folder.h"

namespace llmd::pipelines {

namespace fs = std::filesystem;

// What never changes in these tests: our own rules and profiles.
struct Knowledge {
  std::unique_ptr<detectors::Detective> detective;
  std::vector<EngineSpec> engines;
  std::vector<HandlerSpec> handlers;

  static const Knowledge& Ours() {
    static const Knowledge knowledge = [] {
      const fs::path source = LLMD_SOURCE_DIR;
      std::vector<std::string> errors;
      Knowledge ours;
      ours.detective = detectors::Detective::Load(source / "daemon/detectors/rules", "").value();
      ours.engines = engines::LoadEngines(source / "daemon/engines/profiles", "", errors).value();
      ours.handlers =
          handlers::LoadHandlers(source / "daemon/handlers/profiles", "", errors).value();
      return ours;
    }();
    return knowledge;
  }
};

// A Llama of two layers with weights of `bytes` bytes, as a repository's files in `folder`.
inline void WriteTinyLlama(const fs::path& folder, size_t bytes = 4096) {
  fs::create_directories(folder);
  const nlohmann::json config = {{"architectures", {"LlamaForCausalLM"}},
                                 {"model_type", "llama"},
                                 {"hidden_size", 64},
                                 {"num_hidden_layers", 2},
                                 {"num_attention_heads", 4},
                                 {"num_key_value_heads", 2},
                                 {"max_position_embeddings", 2048},
                                 {"vocab_size", 1000},
                                 {"torch_dtype", "bfloat16"}};
  std::ofstream(folder / "config.json") << config.dump(1);
  std::ofstream(folder / "tokenizer.json") << "{\"model\": {}}";
  const std::string header =
      nlohmann::json{
          {"w", {{"dtype", "BF16"}, {"shape", {bytes / 2}}, {"data_offsets", {0, bytes}}}}}
          .dump();
  std::ofstream weights(folder / "model.safetensors", std::ios::binary);
  for (size_t i = 0; i < 8; ++i) weights.put(static_cast<char>(header.size() >> (8 * i) & 0xFF));
  weights << header << std::string(bytes, 'w');
}

// The folders of one test, which outlive its daemons.
class World {
 public:
  World() {
    fs::create_directories(home().models());
    fs::create_directories(folder_ / "data");
    fs::create_directory_symlink(fs::path(LLMD_SOURCE_DIR) / "daemon/scaffold/templates",
                                 folder_ / "data/templates");
    folder_.Write("llm_agent-0.1.0-py3-none-any.whl", "agent");
    WriteTinyLlama(folder_ / "hub/tiny");
  }
  platform::HomePaths home() const { return {.home = folder_ / "home"}; }
  fs::path data_dir() const { return folder_ / "data"; }
  fs::path wheel() const { return folder_ / "llm_agent-0.1.0-py3-none-any.whl"; }
  const testing::TempFolder& folder() const { return folder_; }
  // What lies in models/.staging.
  std::vector<std::string> Staging() const { return Names(home().staging()); }
  std::vector<std::string> Models() const {
    std::vector<std::string> names = Names(home().models());
    std::erase(names, ".staging");
    return names;
  }

 private:
  static std::vector<std::string> Names(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  testing::TempFolder folder_;
};

class TestDaemon {
 public:
  using Watcher = std::function<void(const JobEventRecord&)>;

  // `watcher` hears every event of a job on the thread that makes it.
  explicit TestDaemon(const World& world, registry::Registry& registry, Watcher watcher = {})
      : home_(world.home()),
        data_dir_(world.data_dir()),
        watcher_(std::move(watcher)),
        models_(registry, events_, home_),
        router_({.home = home_,
                 .models = models_,
                 .registry = registry,
                 .events = events_,
                 .clock = clock_,
                 .metrics = metrics_,
                 .capacity = {.memory_bytes = int64_t{24} << 30, .cpus = 4},
                 .resident_bytes = {}}),
        jobs_(jobs::MakeJobPool(registry, events_, clock_, metrics_, {.workers = 2})) {
    router_.Connect(supervisor_);
    hub_.Add("acme/tiny", world.folder() / "hub/tiny");
    subscription_ = events_.Subscribe([this](const Event& event) { Hear(event); });
    const Knowledge& knowledge = Knowledge::Ours();
    pipelines_ = MakePipelines({.home = home_,
                                .data_dir = data_dir_,
                                .agent_wheel = world.wheel(),
                                .hub = hub_,
                                .detective = *knowledge.detective,
                                .engines = knowledge.engines,
                                .handlers = knowledge.handlers,
                                .machine = machine_,
                                .environments = environments_,
                                .models = models_,
                                .router = router_,
                                .jobs = *jobs_,
                                .clock = clock_,
                                .metrics = metrics_});
  }
  ~TestDaemon() { jobs_->Stop(); }

  void Start() {
    Status status = models_.Load();
    ASSERT_TRUE(status.ok()) << status;
    status = jobs_->Start(pipelines_->Runners());
    ASSERT_TRUE(status.ok()) << status;
  }
  StatusOr<JobRecord> Install(const std::string& repo_id, const std::string& name = "") {
    return pipelines_->Install({.source = {.repo_id = repo_id}, .name = name});
  }
  StatusOr<JobRecord> Remove(const std::string& model, bool force = false) {
    return pipelines_->Remove({.model = model, .force = force});
  }
  // Waits for its end.
  JobRecord Finish(const StatusOr<JobRecord>& job) {
    EXPECT_TRUE(job.ok()) << job.status();
    if (!job.ok()) return {};
    MutexLock lock(mutex_);
    for (;;) {
      for (const JobEventRecord& event : heard_) {
        if (event.job.id == job->id && IsTerminal(event.job.state)) return event.job;
      }
      changed_.Wait(mutex_);
    }
  }
  // The job of the daemon before, which this one goes on with.
  JobRecord FinishLeftover() {
    const auto all = jobs_->List(false);
    EXPECT_TRUE(all.ok() && !all->empty());
    const JobRecord& newest = all->front();
    return IsTerminal(newest.state) ? newest : Finish(newest);
  }
  std::string Log(const std::string& id) {
    std::string text;
    const auto events = jobs_->Events(id, 0);
    for (const JobEventRecord& event : *events) text += event.message + "\n";
    return text;
  }

  testing::FakeClock clock_;
  Metrics metrics_;
  EventStream events_;
  platform::HomePaths home_;
  fs::path data_dir_;
  Watcher watcher_;
  testing::FakeHub hub_;
  testing::FakeMachineProbe machine_;
  testing::FakeEnvBuilder environments_;
  serving::ModelStore models_;
  serving::ServerRouter router_;
  testing::FakeSupervisor supervisor_{
      [this](const ServerRecord& record) { router_.OnServerChanged(record); }};
  std::unique_ptr<jobs::JobPool> jobs_;
  std::unique_ptr<Pipelines> pipelines_;

 private:
  void Hear(const Event& event) {
    const auto* changed = std::get_if<JobChanged>(&event);
    if (changed == nullptr) return;
    if (watcher_) watcher_(changed->event);
    MutexLock lock(mutex_);
    heard_.push_back(changed->event);
    changed_.NotifyAll();
  }

  Mutex mutex_;
  CondVar changed_;
  std::vector<JobEventRecord> heard_ LLMD_GUARDED_BY(mutex_);
  EventStream::Subscription subscription_;
};

}  // namespace llmd::pipelines
