// The System service: the daemon itself, and the one typed event stream.
#pragma once

#include <llmd/v1/system.grpc.pb.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "domain/event.h"
#include "jobs/job_pool.h"
#include "platform/machine_probe.h"
#include "platform/paths.h"
#include "rpc/call_context.h"
#include "rpc/stream_registry.h"
#include "serving/model_router.h"

namespace llmd::rpc {

// What the daemon says of itself.
struct DaemonInfo {
  std::string http;  // "http://127.0.0.1:11500"
  std::string grpc;  // "unix:///..."
  std::optional<std::string> grpc_tcp;
  WallTime started_at{};
  std::vector<std::string> rule_errors;
  std::string uv;
};

class SystemService final : public v1::System::CallbackService {
 public:
  struct Parts {
    const RpcContext& rpc;
    const platform::HomePaths& home;
    platform::MachineProbe& machine;
    jobs::JobPool& jobs;
    serving::ModelRouter& router;
    llmd::EventStream& events;
    StreamRegistry& streams;
    std::function<DaemonInfo()> info;
    std::function<MemoryChanged()> memory;
    // Asks the daemon to end; returns at once.
    std::function<void(bool keep_servers)> shutdown;
  };
  explicit SystemService(Parts parts) : parts_(std::move(parts)) {}

  grpc::ServerUnaryReactor* Info(grpc::CallbackServerContext* context,
                                 const v1::InfoRequest* request,
                                 v1::InfoResponse* response) override;
  grpc::ServerWriteReactor<v1::SystemEvent>* Watch(grpc::CallbackServerContext* context,
                                                   const v1::WatchSystemRequest* request) override;
  grpc::ServerUnaryReactor* Shutdown(grpc::CallbackServerContext* context,
                                     const v1::ShutdownRequest* request,
                                     v1::ShutdownResponse* response) override;

 private:
  v1::InfoResponse Describe() const;
  StatusOr<v1::SystemSnapshot> Snapshot() const;
  v1::Model DescribeModel(const ModelRecord& model) const;

  Parts parts_;
};

}  // namespace llmd::rpc
