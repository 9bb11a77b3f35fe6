// The Servers service: start, stop, restart and look at model servers, and read their logs.
#pragma once

#include <llmd/v1/servers.grpc.pb.h>

#include <functional>

#include "platform/file_watcher.h"
#include "platform/paths.h"
#include "rpc/call_context.h"
#include "rpc/stream_registry.h"
#include "serving/model_router.h"

namespace llmd::rpc {

class ServersService final : public v1::Servers::CallbackService {
 public:
  struct Parts {
    const RpcContext& rpc;
    const platform::HomePaths& home;
    serving::ModelRouter& router;
    platform::FileWatcher& files;
    StreamRegistry& streams;
  };
  explicit ServersService(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Start(grpc::CallbackServerContext* context,
                                  const v1::StartServerRequest* request,
                                  v1::Server* response) override;
  grpc::ServerUnaryReactor* Stop(grpc::CallbackServerContext* context,
                                 const v1::StopServerRequest* request,
                                 v1::Server* response) override;
  grpc::ServerUnaryReactor* Restart(grpc::CallbackServerContext* context,
                                    const v1::RestartServerRequest* request,
                                    v1::Server* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListServersRequest* request,
                                 v1::ListServersResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const v1::GetServerRequest* request, v1::Server* response) override;
  grpc::ServerWriteReactor<v1::LogChunk>* Logs(grpc::CallbackServerContext* context,
                                               const v1::LogsRequest* request) override;

 private:
  // What ends a call with a server in its answer.
  static serving::ModelRouter::ServerDone Answer(v1::Server* response,
                                                 std::function<void(const Status&)> done);

  Parts parts_;
};

}  // namespace llmd::rpc
