#include "app/daemon.h"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/run_files.h"
#include "base/logging.h"
#include "base/version.h"

namespace llmd::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kDrainLimit = 10s;

}  // namespace

void Daemon::Ask(bool stop_servers) {
  if (stop_servers) stop_servers_ = true;
  asked_.Cancel();
}

Status Daemon::Run(config::Config config) {
  LLMD_ASSIGN_OR_RETURN(const std::unique_ptr<Parts> parts,
                        BuildParts(std::move(config), [this](bool keep) { Ask(!keep); }));
  Status status = Start(*parts);
  if (status.ok()) {
    if (options_.on_ready) options_.on_ready();
    const CancelToken token = asked_.token();
    while (!token.WaitFor(24h)) {
    }
  }
  const Status stopped = Stop(*parts);
  return status.ok() ? stopped : status;
}

Status Daemon::Start(Parts& parts) {
  LLMD_RETURN_IF_ERROR(parts.models->Load());
  LLMD_ASSIGN_OR_RETURN(const std::vector<ServerRecord> adopted, parts.supervisor->Begin());
  LLMD_RETURN_IF_ERROR(parts.router->Restore(adopted));
  LLMD_RETURN_IF_ERROR(parts.control->Start());
  BuildGateway(parts);
  LLMD_ASSIGN_OR_RETURN(parts.http_address, parts.gateway->Start());
  LLMD_RETURN_IF_ERROR(parts.jobs->Start(parts.pipelines->Runners()));
  LLMD_RETURN_IF_ERROR(
      WriteAddress(parts.config.home,
                   {.http = parts.http_address,
                    .grpc = "unix://" + parts.config.home.control_socket().string(),
                    .grpc_tcp = parts.control->tcp_address(),
                    .started_at = parts.started_at},
                   options_.address_file));
  Log("app").Info("llmd is ready", {{"version", kVersion},
                                    {"home", parts.config.home.home.string()},
                                    {"http", parts.http_address}});
  return OkStatus();
}

Status Daemon::Stop(Parts& parts) {
  Log("app").Info("llmd is ending", {{"servers", stop_servers_ ? "stopped" : "kept"}});
  RemoveAddress(parts.config.home);
  Status status;
  if (stop_servers_) status = StopServers(parts);
  parts.jobs->Stop();
  if (parts.gateway) parts.gateway->Stop(kDrainLimit);
  parts.control->Stop();
  parts.supervisor->End();
  return status;
}

// All at once: each may take its whole grace.
Status Daemon::StopServers(Parts& parts) {
  std::vector<std::future<Status>> stops;
  for (const ServerRecord& server : parts.router->Servers()) {
    auto stopped = std::make_shared<std::promise<Status>>();
    stops.push_back(stopped->get_future());
    parts.router->Stop(server.model, 0, [stopped](const StatusOr<ServerRecord>& result) {
      stopped->set_value(result.status());
    });
  }
  Status first;
  for (std::future<Status>& stop : stops) {
    const Status status = stop.get();
    if (first.ok()) first = status;
  }
  return first;
}

}  // namespace llmd::app
