#include "rpc/control_server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "rpc/agent_service.h"
#include "rpc/call_context.h"
#include "rpc/jobs_service.h"
#include "rpc/local_acceptor.h"
#include "rpc/models_service.h"
#include "rpc/servers_service.h"
#include "rpc/stream_registry.h"
#include "rpc/work_pool.h"

#include <llmd/v1/training.grpc.pb.h>

namespace llmd::rpc {
namespace {

using grpc::experimental::ExternalConnectionAcceptor;

constexpr int kMaxMessageBytes = 64 << 20;
constexpr auto kStopPatience = std::chrono::seconds(3);

// The last gRPC object to go shuts the library down, which waits up to 10 s for a poller of its own
// when a write was blocked lately. A reference that is never given back spares us that.
void KeepLibrary() { [[maybe_unused]] static const bool kept = (grpc_init(), true); }

class GrpcControlServer final : public ControlServer {
 public:
  GrpcControlServer(const ControlServerParts& parts, ControlServerOptions options)
      : options_(std::move(options)),
        pool_(options_.workers),
        rpc_(options_.token, pool_),
        models_({rpc_, parts.home, parts.pipelines, parts.models, parts.router}),
        jobs_({rpc_, parts.jobs, parts.events, streams_}),
        servers_({rpc_, parts.home, parts.router, parts.files, streams_}),
        system_({rpc_, parts.home, parts.machine, parts.jobs, parts.router, parts.events, streams_,
                 parts.info, parts.memory, parts.shutdown}),
        agent_({rpc_, parts.router, parts.upstream, streams_}),
        acceptor_([this](FileDescriptor connection) { HandOver(std::move(connection)); }) {}

  ~GrpcControlServer() override { Stop(); }

  Status Start() override {
    KeepLibrary();
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    // Idle watchers behind a dead peer are noticed.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
    external_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials());
    int port = 0;
    if (!options_.tcp.empty()) {
      // Another process must not be able to listen beside us.
      builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
      builder.AddListeningPort(options_.tcp, grpc::InsecureServerCredentials(), &port);
    }
    for (grpc::Service* service : Services()) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    if (!server_ || (!options_.tcp.empty() && port == 0)) return CannotListen();
    if (port != 0) tcp_ = WithPort(options_.tcp, port);
    return acceptor_.Start(options_.socket);
  }

  void Stop() override {
    if (!server_) return;
    acceptor_.Stop();
    streams_.CloseAll();
    server_->Shutdown(std::chrono::system_clock::now() + kStopPatience);
    server_->Wait();
    server_.reset();
  }

  std::optional<std::string> tcp_address() const override { return tcp_; }

  std::shared_ptr<grpc::Channel> InProcessChannel() override {
    return server_->InProcessChannel(grpc::ChannelArguments());
  }

 private:
  std::vector<grpc::Service*> Services() {
    return {&models_, &jobs_, &servers_, &system_, &agent_, &training_};
  }

  void HandOver(FileDescriptor connection) {
    ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = -1;
    parameters.fd = connection.Release();
    external_->HandleNewConnection(&parameters);
  }

  Status CannotListen() const {
    return MakeStatus(
        StatusCode::kUnavailable, fmt::format("cannot listen on {} for gRPC", options_.tcp),
        {.code = "address_in_use",
         .next_step = "Choose another address with --grpc-listen, or grpc_listen: in llmd.yaml."});
  }

  static std::string WithPort(const std::string& address, int port) {
    return fmt::format("{}:{}", address.substr(0, address.rfind(':')), port);
  }

  const ControlServerOptions options_;
  WorkPool pool_;
  RpcContext rpc_;
  StreamRegistry streams_;
  ModelsService models_;
  JobsService jobs_;
  ServersService servers_;
  SystemService system_;
  AgentService agent_;
  v1::Training::CallbackService training_;
  std::unique_ptr<ExternalConnectionAcceptor> external_;
  std::unique_ptr<grpc::Server> server_;
  LocalAcceptor acceptor_;
  std::optional<std::string> tcp_;
};

}  // namespace

std::unique_ptr<ControlServer> MakeControlServer(const ControlServerParts& parts,
                                                 ControlServerOptions options) {
  return std::make_unique<GrpcControlServer>(parts, std::move(options));
}

}  // namespace llmd::rpc
