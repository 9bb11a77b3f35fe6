#include "rpc/servers_service.h"

#include <memory>
#include <string>
#include <utility>

#include "rpc/convert.h"
#include "rpc/log_follower.h"
#include "rpc/unary_call.h"

namespace llmd::rpc {

using Done = std::function<void(const Status&)>;

serving::ModelRouter::ServerDone ServersService::Answer(v1::Server* response, Done done) {
  return [response, done = std::move(done)](const StatusOr<ServerRecord>& server) {
    if (server.ok()) *response = ToProto(*server);
    done(server.status());
  };
}

grpc::ServerUnaryReactor* ServersService::Start(grpc::CallbackServerContext* context,
                                                const v1::StartServerRequest* request,
                                                v1::Server* response) {
  return ByCallback(
      parts_.rpc, *context, [=, this](const Caller&, const CancelToken& cancel, Done done) {
        parts_.router.Start(request->model(), cancel, Answer(response, std::move(done)));
      });
}

grpc::ServerUnaryReactor* ServersService::Stop(grpc::CallbackServerContext* context,
                                               const v1::StopServerRequest* request,
                                               v1::Server* response) {
  return ByCallback(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&, Done done) {
    parts_.router.Stop(request->model(), request->grace_seconds(),
                       Answer(response, std::move(done)));
  });
}

grpc::ServerUnaryReactor* ServersService::Restart(grpc::CallbackServerContext* context,
                                                  const v1::RestartServerRequest* request,
                                                  v1::Server* response) {
  return ByCallback(
      parts_.rpc, *context, [=, this](const Caller&, const CancelToken& cancel, Done done) {
        const std::string model = request->model();
        parts_.router.Stop(model, 0, [=, this](const StatusOr<ServerRecord>& stopped) {
          if (!stopped.ok()) return done(stopped.status());
          parts_.router.Start(model, cancel, Answer(response, done));
        });
      });
}

grpc::ServerUnaryReactor* ServersService::List(grpc::CallbackServerContext* context,
                                               const v1::ListServersRequest*,
                                               v1::ListServersResponse* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    for (const ServerRecord& server : parts_.router.Servers()) {
      *response->add_servers() = ToProto(server);
    }
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* ServersService::Get(grpc::CallbackServerContext* context,
                                              const v1::GetServerRequest* request,
                                              v1::Server* response) {
  return OnPool(parts_.rpc, *context, [=, this](const Caller&, const CancelToken&) -> Status {
    LLMD_ASSIGN_OR_RETURN(const ServerRecord server, parts_.router.Server(request->model()));
    *response = ToProto(server);
    return OkStatus();
  });
}

grpc::ServerWriteReactor<v1::LogChunk>* ServersService::Logs(grpc::CallbackServerContext* context,
                                                             const v1::LogsRequest* request) {
  const StatusOr<Caller> caller = parts_.rpc.Authorize(*context);
  if (!caller.ok()) return RefusedStream<v1::LogChunk>(caller.status());
  const StatusOr<ModelRecord> model = parts_.router.Resolve(request->model());
  if (!model.ok()) return RefusedStream<v1::LogChunk>(model.status());
  auto stream = LogFollower::Stream::Make();
  auto* const reactor = stream->Reactor();
  if (!parts_.streams.Add(stream)) return reactor;
  const auto follower = std::make_shared<LogFollower>(
      LogFollower::Options{.file = parts_.home.model(model->folder_name) / "logs" / "server.log",
                           .tail_lines = request->tail_lines(),
                           .follow = request->follow()},
      parts_.rpc.pool(), stream);
  stream->Keep(follower);
  const bool queued = parts_.rpc.pool().Run([this, follower] { follower->Begin(parts_.files); });
  if (!queued) stream->Close(BusyStatus());
  return reactor;
}

}  // namespace llmd::rpc
