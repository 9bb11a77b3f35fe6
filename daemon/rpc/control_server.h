// ControlServer: the gRPC server with all services: a Unix socket for the same user, loopback TCP
// when configured, and an in-process channel for the gateway's bridge. Reflection and health are
// on.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "domain/event.h"
#include "rpc/system_service.h"

namespace grpc {
class Channel;
}

namespace llmd::http {
class UpstreamClient;
}
namespace llmd::pipelines {
class Pipelines;
}
namespace llmd::platform {
class FileWatcher;
}
namespace llmd::serving {
class ModelStore;
}

namespace llmd::rpc {

struct ControlServerParts {
  const platform::HomePaths& home;
  platform::MachineProbe& machine;
  platform::FileWatcher& files;
  pipelines::Pipelines& pipelines;
  jobs::JobPool& jobs;
  serving::ModelStore& models;
  serving::ModelRouter& router;
  http::UpstreamClient& upstream;
  llmd::EventStream& events;
  std::function<DaemonInfo()> info;
  std::function<MemoryChanged()> memory;
  std::function<void(bool keep_servers)> shutdown;
};

struct ControlServerOptions {
  std::filesystem::path socket;  // made here; a stale one is replaced
  std::string tcp;               // "127.0.0.1:11501"; empty: none. Callers must show the token
  std::string token;
  size_t workers = 4;  // threads for calls that wait for a disk or a network
};

class ControlServer {
 public:
  virtual ~ControlServer() = default;

  // Listens. kUnavailable (code "address_in_use") names the address.
  virtual Status Start() = 0;
  // Ends the open streams with UNAVAILABLE, then the calls; blocks for a few seconds at most.
  virtual void Stop() = 0;

  // "127.0.0.1:11501" with the port that was bound; nullopt without TCP. After Start.
  virtual std::optional<std::string> tcp_address() const = 0;
  // For the gateway's bridge, which has checked the caller. After Start; the channel must go before
  // the server does.
  virtual std::shared_ptr<grpc::Channel> InProcessChannel() = 0;
};

std::unique_ptr<ControlServer> MakeControlServer(const ControlServerParts& parts,
                                                 ControlServerOptions options);

}  // namespace llmd::rpc
