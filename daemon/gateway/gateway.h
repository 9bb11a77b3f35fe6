// Gateway: llmd's HTTP face. OpenAI's routes, proxied as bytes to the model servers; /api/generate
// and /api/model/info; /livez, /readyz, /metrics; gRPC-web for the control plane; the dashboard's
// files. It answers only requests for its own hosts and origins, and wants the token for gRPC-web.
// Owned by the composition root. Thread-safe.
//
//   auto gateway = MakeGateway({.router = router, .metrics = metrics, .control_plane = channel},
//                              {.listen = "127.0.0.1:0", .token = token});
//   LLMD_ASSIGN_OR_RETURN(const std::string address, gateway->Start());
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/status.h"
#include "serving/model_router.h"

namespace grpc {
class Channel;
}

namespace llmd::gateway {

// What a client may send and how long it may take. Above a limit it gets a typed error.
struct GatewayLimits {
  size_t head_bytes = 64u << 10;              // 431
  size_t head_fields = 100;                   // 431
  uint64_t json_bytes = 32u << 20;            // 413
  uint64_t multipart_bytes = 512u << 20;      // 413
  uint64_t spill_above_bytes = 1u << 20;      // multipart beyond it goes to an unlinked file
  uint64_t buffered_bytes = 256u << 20;       // of all requests together, in memory: 503
  size_t connections = 4096;                  // 503
  std::chrono::milliseconds idle{75'000};     // between two requests of a connection
  std::chrono::milliseconds head{10'000};     // 408
  std::chrono::milliseconds body{30'000};     // 408; and a second for each 100 KB
  std::chrono::milliseconds write{60'000};    // no progress of a write: closed
  std::chrono::milliseconds load{1'800'000};  // waiting for a model to be ready: 503
};

struct GatewayOptions {
  std::string listen = "127.0.0.1:11500";  // "ADDRESS:PORT" or "[::1]:PORT"; port 0: any free one
  int inherited_socket = -1;               // listening TCP socket to use instead; owned from Start
  std::string token;                       // for gRPC-web; for everything off loopback
  std::vector<std::string> allowed_hosts;  // besides localhost, 127.0.0.1 and [::1]
  std::vector<std::string> allowed_origins;  // "https://app.example.org", besides our own
  std::filesystem::path dashboard;           // folder with index.html; empty or absent: none
  std::filesystem::path spill_folder;        // empty: the system's temporary folder
  int io_threads = 0;                        // 0: by the number of cores
  GatewayLimits limits;
};

struct GatewayParts {
  serving::ModelRouter& router;
  Metrics& metrics;
  // The in-process channel of the gRPC server. Null: no gRPC-web.
  std::shared_ptr<grpc::Channel> control_plane;
  // Asked by /readyz beside the gateway's own state; quick, any thread. Empty: always OK.
  std::function<Status()> ready;
};

class Gateway {
 public:
  virtual ~Gateway() = default;  // stops at once when Stop was not called

  // Listens; requests are served from here on. The address, such as "http://127.0.0.1:11500".
  // kUnavailable (code "port_taken"), kInvalidArgument (code "bad_listen_address"),
  // kFailedPrecondition (code "open_without_token": not a loopback address, and no token).
  virtual StatusOr<std::string> Start() = 0;

  // /readyz turns red, idle connections close, gRPC-web streams end at once; requests under way get
  // `limit` to finish, then streams end with an error event. Returns when every thread has ended.
  // The control plane's server must still run. Calling it again does nothing.
  virtual void Stop(std::chrono::milliseconds limit) = 0;
};

std::unique_ptr<Gateway> MakeGateway(GatewayParts parts, GatewayOptions options);

// The listening socket that a service manager passed (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES) under
// `name`, or the only one when they have no names; -1 when there is none.
int InheritedSocket(std::string_view name);

}  // namespace llmd::gateway
