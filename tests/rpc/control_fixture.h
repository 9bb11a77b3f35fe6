// A ControlServer on a private Unix socket over fakes, and a channel to it.
#pragma once

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "http/upstream_client.h"
#include "platform/file_watcher.h"
#include "registry/registry.h"
#include "rpc/control_server.h"
#include "serving/model_store.h"
#include "serving/server_router.h"
#include "support/fakes/fake_job_pool.h"
#include "support/fakes/fake_machine_probe.h"
#include "support/fakes/fake_pipelines.h"
#include "support/fakes/fake_supervisor.h"
#include "support/temp_folder.h"

namespace llmd::rpc {

inline constexpr char kTestToken[] = "00112233";
inline constexpr char kModel[] = "acme/tiny";
inline constexpr char kFolder[] = "acme_tiny";

class ControlFixture {
 public:
  explicit ControlFixture(std::string tcp = "") {
    platform::CreateHome(home).IgnoreError();
    registry = *registry::OpenSqliteRegistry(home.registry().string(), &rebuilt);
    models = std::make_unique<serving::ModelStore>(*registry, events, home);
    router = std::make_unique<serving::ServerRouter>(
        serving::RouterParts{.home = home,
                             .models = *models,
                             .registry = *registry,
                             .events = events,
                             .clock = clock,
                             .metrics = metrics,
                             .capacity = {.memory_bytes = 1 << 30, .cpus = 4}});
    supervisor = std::make_unique<testing::FakeSupervisor>(
        [this](const ServerRecord& record) { router->OnServerChanged(record); });
    router->Connect(*supervisor);
    server = MakeControlServer({.home = home,
                                .machine = machine,
                                .files = *files,
                                .pipelines = pipelines,
                                .jobs = jobs,
                                .models = *models,
                                .router = *router,
                                .upstream = *upstream,
                                .events = events,
                                .info = [] { return DaemonInfo{.http = "http://127.0.0.1:1"}; },
                                .memory = [this] { return router->Memory(); },
                                .shutdown = [this](bool keep) { kept_servers = keep; }},
                               {.socket = home.run() / "llmd.sock",
                                .tcp = std::move(tcp),
                                .token = kTestToken,
                                .workers = 2});
  }

  std::shared_ptr<grpc::Channel> Channel() const {
    return grpc::CreateChannel("unix://" + (home.run() / "llmd.sock").string(),
                               grpc::InsecureChannelCredentials());
  }

  // An installed language model.
  void AddModel(int64_t memory_bytes = 1 << 20) {
    const Launch launch{
        .bind = "inherit", .routes = {"POST /v1/chat/completions"}, .kind = "llm", .name = kModel};
    models
        ->Put({.record = {.name = kModel,
                          .folder_name = kFolder,
                          .state = ModelState::kInstalled,
                          .memory_bytes = memory_bytes,
                          .profile = {.repo_id = kModel, .kind = "llm"}},
               .launch = launch})
        .IgnoreError();
  }

  testing::TempFolder folder;
  platform::HomePaths home{folder / "home"};
  bool rebuilt = false;
  SystemClock clock;
  Metrics metrics;
  llmd::EventStream events;
  testing::FakeMachineProbe machine;
  testing::FakePipelines pipelines;
  testing::FakeJobPool jobs{events};
  std::unique_ptr<platform::FileWatcher> files = *platform::MakeFileWatcher();
  std::unique_ptr<http::UpstreamClient> upstream = http::MakeUpstreamClient();
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<serving::ModelStore> models;
  std::unique_ptr<serving::ServerRouter> router;
  std::unique_ptr<testing::FakeSupervisor> supervisor;
  std::optional<bool> kept_servers;
  std::unique_ptr<ControlServer> server;
};

}  // namespace llmd::rpc
