// Parts: every part of the daemon, made in dependency order, so that destruction runs backwards by
// itself. The one place where implementations are chosen; tests replace some with fakes.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "detectors/detective.h"
#include "domain/event.h"
#include "domain/specs.h"
#include "gateway/gateway.h"
#include "http/upstream_client.h"
#include "hub/repository.h"
#include "jobs/job_pool.h"
#include "pipelines/pipelines.h"
#include "platform/file_watcher.h"
#include "platform/machine_probe.h"
#include "platform/process_launcher.h"
#include "pyenv/env_builder.h"
#include "registry/registry.h"
#include "rpc/control_server.h"
#include "serving/model_store.h"
#include "serving/server_router.h"
#include "supervisor/supervisor.h"

namespace llmd::app {

// Rules, handlers and engines, ours and the user's.
struct Knowledge {
  std::unique_ptr<detectors::Detective> detective;
  std::vector<EngineSpec> engines;
  std::vector<HandlerSpec> handlers;
  std::vector<std::string> user_errors;  // with file:line:column; those files are left out
};
StatusOr<Knowledge> LoadKnowledge(const std::filesystem::path& data_dir,
                                  const std::filesystem::path& user_rules);

struct Parts {
  config::Config config;
  std::filesystem::path data_dir;
  std::string token;
  SystemClock clock;
  WallTime started_at{};
  Metrics metrics;
  EventStream events;
  Knowledge knowledge;
  std::unique_ptr<platform::MachineProbe> machine;
  std::unique_ptr<platform::ProcessLauncher> launcher;
  std::unique_ptr<platform::FileWatcher> files;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<hub::Hub> hub;
  std::unique_ptr<pyenv::EnvBuilder> environments;
  std::unique_ptr<serving::ModelStore> models;
  std::unique_ptr<serving::ServerRouter> router;
  std::unique_ptr<supervisor::Supervisor> supervisor;
  std::unique_ptr<jobs::JobPool> jobs;
  std::unique_ptr<pipelines::Pipelines> pipelines;
  std::unique_ptr<http::UpstreamClient> upstream;
  std::unique_ptr<rpc::ControlServer> control;
  std::unique_ptr<gateway::Gateway> gateway;  // made when the control server runs

  // Filled in as they are bound.
  std::string http_address;
  std::string uv_version;
};

// What a test puts in place of the real thing; null members are made.
struct Overrides {
  std::unique_ptr<platform::MachineProbe> machine;
  std::unique_ptr<hub::Hub> hub;
  std::unique_ptr<pyenv::EnvBuilder> environments;
};

// Makes everything; starts nothing. `shutdown` is what System.Shutdown calls. The home is there and
// locked. Returned by pointer: parts refer to each other.
StatusOr<std::unique_ptr<Parts>> BuildParts(config::Config config,
                                            std::function<void(bool keep_servers)> shutdown,
                                            Overrides overrides = {});

// The gateway needs the running control server's channel.
void BuildGateway(Parts& parts);

}  // namespace llmd::app
