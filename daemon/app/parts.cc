#include "app/parts.h"

#include <algorithm>
#include <utility>

#include "app/run_files.h"
#include "base/logging.h"
#include "engines/engines.h"
#include "handlers/handlers.h"
#include "hub/hub.h"
#include "platform/paths.h"

namespace llmd::app {
namespace {

namespace fs = std::filesystem;

// The agent's wheel, built with the daemon.
StatusOr<fs::path> FindAgentWheel(const fs::path& data_dir) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(data_dir / "wheels", error)) {
    if (entry.path().extension() == ".whl") return entry.path();
  }
  return MakeStatus(StatusCode::kFailedPrecondition,
                    fmt::format("the agent's wheel is not in {}", (data_dir / "wheels").string()),
                    {.code = "installation_broken",
                     .next_step = "Install llmd again, or build it: ./setup.sh build"});
}

std::unique_ptr<hub::Hub> MakeHub(const config::Config& config) {
  const config::HubConfig& hub = config.hub;
  return hub::MakeHub({.endpoint = hub.endpoint,
                       .token_file = hub.token_file,
                       .cache_folder = hub.cache,
                       .offline = hub.offline,
                       .metadata_folder = config.home.cache() / "hub"});
}

std::unique_ptr<pyenv::EnvBuilder> MakeEnvironments(const Parts& parts) {
  const config::PythonConfig& python = parts.config.python;
  return pyenv::MakeUvEnvBuilder(*parts.launcher, parts.machine->Measure(parts.config.home.home),
                                 {.uv = python.uv,
                                  .cache_dir = parts.config.home.cache(),
                                  .python = python.version,
                                  .index_url = python.index_url,
                                  .extra_index_urls = python.extra_index_urls,
                                  .torch_cpu_index = python.torch_cpu_index,
                                  .python_downloads = python.downloads,
                                  .source_builds = python.source_builds});
}

Status OpenRegistry(Parts& parts) {
  bool rebuilt = false;
  LLMD_ASSIGN_OR_RETURN(parts.registry, registry::OpenSqliteRegistry(
                                            parts.config.home.registry().string(), &rebuilt));
  if (rebuilt) {
    Log("app").Warn("the registry was damaged; it is rebuilt from the model folders",
                    {{"file", parts.config.home.registry().string()}});
  }
  return OkStatus();
}

scheduler::LedgerCapacity CapacityOf(const Parts& parts) {
  const MachineFacts machine = parts.machine->Measure(parts.config.home.home);
  return {.memory_bytes = parts.config.memory.limit_bytes.value_or(machine.memory_bytes),
          .cpus = machine.cpus};
}

Status BuildServing(Parts& parts) {
  const platform::HomePaths& home = parts.config.home;
  parts.models = std::make_unique<serving::ModelStore>(*parts.registry, parts.events, home);
  parts.router = std::make_unique<serving::ServerRouter>(
      serving::RouterParts{.home = home,
                           .models = *parts.models,
                           .registry = *parts.registry,
                           .events = parts.events,
                           .clock = parts.clock,
                           .metrics = parts.metrics,
                           .capacity = CapacityOf(parts),
                           .stop_grace = parts.config.servers.stop_grace,
                           .resident_bytes = [probe = parts.machine.get()](int64_t pid) {
                             return probe->ResidentBytes(pid);
                           }});
  LLMD_ASSIGN_OR_RETURN(const fs::path shim, platform::FindProgram("llmd-shim"));
  parts.supervisor = supervisor::MakeShimSupervisor(
      *parts.launcher, parts.clock, parts.metrics,
      {.shim = shim, .servers_dir = home.servers(), .sockets_dir = home.socket_dir() / "servers"},
      [router = parts.router.get()](const ServerRecord& record) {
        router->OnServerChanged(record);
      });
  parts.router->Connect(*parts.supervisor);
  return OkStatus();
}

Status BuildPipelines(Parts& parts) {
  parts.jobs = jobs::MakeJobPool(*parts.registry, parts.events, parts.clock, parts.metrics,
                                 {.workers = parts.config.jobs.workers});
  LLMD_ASSIGN_OR_RETURN(const fs::path wheel, FindAgentWheel(parts.data_dir));
  parts.pipelines = pipelines::MakePipelines({.home = parts.config.home,
                                              .data_dir = parts.data_dir,
                                              .agent_wheel = wheel,
                                              .hub = *parts.hub,
                                              .detective = *parts.knowledge.detective,
                                              .engines = parts.knowledge.engines,
                                              .handlers = parts.knowledge.handlers,
                                              .machine = *parts.machine,
                                              .environments = *parts.environments,
                                              .models = *parts.models,
                                              .router = *parts.router,
                                              .jobs = *parts.jobs,
                                              .clock = parts.clock,
                                              .metrics = parts.metrics});
  return OkStatus();
}

rpc::DaemonInfo Describe(const Parts& parts) {
  return {.http = parts.http_address,
          .grpc = "unix://" + parts.config.home.control_socket().string(),
          .grpc_tcp = parts.control->tcp_address(),
          .started_at = parts.started_at,
          .rule_errors = parts.knowledge.user_errors,
          .uv = parts.environments->UvVersion()};
}

void BuildControl(Parts& parts, std::function<void(bool)> shutdown) {
  parts.upstream = http::MakeUpstreamClient();
  Parts* const all = &parts;
  const auto& tcp = parts.config.grpc_listen;
  parts.control = rpc::MakeControlServer({.home = parts.config.home,
                                          .machine = *parts.machine,
                                          .files = *parts.files,
                                          .pipelines = *parts.pipelines,
                                          .jobs = *parts.jobs,
                                          .models = *parts.models,
                                          .router = *parts.router,
                                          .upstream = *parts.upstream,
                                          .events = parts.events,
                                          .info = [all] { return Describe(*all); },
                                          .memory = [all] { return all->router->Memory(); },
                                          .shutdown = std::move(shutdown)},
                                         {.socket = parts.config.home.control_socket(),
                                          .tcp = tcp ? tcp->ToString() : "",
                                          .token = parts.token});
}

gateway::GatewayLimits LimitsOf(const config::LimitsConfig& limits) {
  return {.head_bytes = static_cast<size_t>(limits.head_bytes),
          .json_bytes = static_cast<uint64_t>(limits.json_body_bytes),
          .multipart_bytes = static_cast<uint64_t>(limits.multipart_body_bytes),
          .connections = static_cast<size_t>(limits.connections),
          .idle = limits.idle,
          .head = limits.head,
          .body = limits.body,
          .write = limits.write,
          .load = limits.load};
}

}  // namespace

StatusOr<Knowledge> LoadKnowledge(const fs::path& data_dir, const fs::path& user_rules) {
  Knowledge knowledge;
  LLMD_ASSIGN_OR_RETURN(knowledge.detective,
                        detectors::Detective::Load(data_dir / "rules", user_rules));
  knowledge.user_errors = knowledge.detective->user_rule_errors();
  LLMD_ASSIGN_OR_RETURN(
      knowledge.handlers,
      handlers::LoadHandlers(data_dir / "handlers", user_rules, knowledge.user_errors));
  LLMD_ASSIGN_OR_RETURN(knowledge.engines, engines::LoadEngines(data_dir / "engines", user_rules,
                                                                knowledge.user_errors));
  // A file that cannot be read is found by whoever looks for its own in the folder.
  std::vector<std::string>& errors = knowledge.user_errors;
  std::sort(errors.begin(), errors.end());
  errors.erase(std::unique(errors.begin(), errors.end()), errors.end());
  return knowledge;
}

StatusOr<std::unique_ptr<Parts>> BuildParts(config::Config config,
                                            std::function<void(bool)> shutdown,
                                            Overrides overrides) {
  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  parts->started_at = parts->clock.Now();
  LLMD_ASSIGN_OR_RETURN(parts->data_dir, platform::FindDataDir());
  LLMD_ASSIGN_OR_RETURN(parts->token, LoadToken(parts->config.home));
  LLMD_ASSIGN_OR_RETURN(parts->knowledge,
                        LoadKnowledge(parts->data_dir, parts->config.home.rules()));
  for (const std::string& error : parts->knowledge.user_errors) {
    Log("app").Warn("a file in rules.d is left out", {{"why", error}});
  }
  parts->machine = overrides.machine ? std::move(overrides.machine) : platform::MakeMachineProbe();
  parts->launcher = platform::MakeProcessLauncher();
  LLMD_ASSIGN_OR_RETURN(parts->files, platform::MakeFileWatcher());
  LLMD_RETURN_IF_ERROR(OpenRegistry(*parts));
  parts->hub = overrides.hub ? std::move(overrides.hub) : MakeHub(parts->config);
  parts->environments =
      overrides.environments ? std::move(overrides.environments) : MakeEnvironments(*parts);
  LLMD_RETURN_IF_ERROR(BuildServing(*parts));
  LLMD_RETURN_IF_ERROR(BuildPipelines(*parts));
  BuildControl(*parts, std::move(shutdown));
  return parts;
}

void BuildGateway(Parts& parts) {
  parts.gateway = gateway::MakeGateway({.router = *parts.router,
                                        .metrics = parts.metrics,
                                        .control_plane = parts.control->InProcessChannel()},
                                       {.listen = parts.config.listen.ToString(),
                                        .inherited_socket = gateway::InheritedSocket("http"),
                                        .token = parts.token,
                                        .allowed_hosts = parts.config.allowed_hosts,
                                        .allowed_origins = parts.config.allowed_origins,
                                        .dashboard = parts.data_dir / "webui",
                                        .limits = LimitsOf(parts.config.limits)});
}

}  // namespace llmd::app
