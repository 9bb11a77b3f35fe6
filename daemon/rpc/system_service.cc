#include "rpc/system_service.h"

#include <unistd.h>

#include <memory>
#include <utility>

#include "base/version.h"
#include "rpc/convert.h"
#include "rpc/system_watcher.h"
#include "rpc/unary_call.h"

namespace llmd::rpc {

v1::InfoResponse SystemService::Describe() const {
  const DaemonInfo info = parts_.info();
  v1::InfoResponse out;
  out.set_version(kVersion);
  out.set_pid(::getpid());
  out.set_home(parts_.home.home.string());
  out.set_http(info.http);
  out.set_grpc(info.grpc);
  if (info.grpc_tcp) out.set_grpc_tcp(*info.grpc_tcp);
  out.set_started_at(FormatTime(info.started_at));
  *out.mutable_machine() = ToProto(parts_.machine.Measure(parts_.home.home));
  *out.mutable_memory() = ToProto(parts_.memory());
  out.mutable_rule_errors()->Assign(info.rule_errors.begin(), info.rule_errors.end());
  out.set_uv(info.uv);
  return out;
}

v1::Model SystemService::DescribeModel(const ModelRecord& model) const {
  const StatusOr<ServerRecord> server = parts_.router.Server(model.name);
  return ToProto(model, parts_.home.model(model.folder_name),
                 server.ok() ? server->state : ServerState::kStopped);
}

StatusOr<v1::SystemSnapshot> SystemService::Snapshot() const {
  v1::SystemSnapshot out;
  *out.mutable_info() = Describe();
  for (const ModelRecord& model : parts_.router.Models()) {
    *out.add_models() = DescribeModel(model);
  }
  for (const ServerRecord& server : parts_.router.Servers()) *out.add_servers() = ToProto(server);
  LLMD_ASSIGN_OR_RETURN(const auto jobs, parts_.jobs.List(/*active_only=*/false));
  for (const JobRecord& job : jobs) *out.add_jobs() = ToProto(job);
  return out;
}

grpc::ServerUnaryReactor* SystemService::Info(grpc::CallbackServerContext* context,
                                              const v1::InfoRequest*, v1::InfoResponse* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    *response = Describe();
    return OkStatus();
  });
}

grpc::ServerWriteReactor<v1::SystemEvent>* SystemService::Watch(
    grpc::CallbackServerContext* context, const v1::WatchSystemRequest*) {
  const StatusOr<Caller> caller = parts_.rpc.Authorize(*context);
  if (!caller.ok()) return RefusedStream<v1::SystemEvent>(caller.status());
  auto stream = SystemWatcher::Stream::Make();
  auto* const reactor = stream->Reactor();
  if (!parts_.streams.Add(stream)) return reactor;
  const auto watcher = std::make_shared<SystemWatcher>(
      [this](const ModelRecord& model) { return DescribeModel(model); }, stream);
  stream->Keep(watcher);
  const bool queued = parts_.rpc.pool().Run([this, stream, watcher] {
    watcher->Follow(parts_.events);
    StatusOr<v1::SystemSnapshot> snapshot = Snapshot();
    if (!snapshot.ok()) return stream->Close(snapshot.status());
    watcher->Begin(*std::move(snapshot));
  });
  if (!queued) stream->Close(BusyStatus());
  return reactor;
}

grpc::ServerUnaryReactor* SystemService::Shutdown(grpc::CallbackServerContext* context,
                                                  const v1::ShutdownRequest* request,
                                                  v1::ShutdownResponse*) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    parts_.shutdown(request->keep_servers());
    return OkStatus();
  });
}

}  // namespace llmd::rpc
