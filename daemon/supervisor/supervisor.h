// Supervisor: one state machine per model server, over llmd-shim. Servers outlive the daemon and
// are adopted again. Nothing polls: readiness and exits arrive as events on one loop thread.
// Thread-safe.
//
//   stopped -> starting -> ready -> stopping -> stopped
//                 \          \-> failed (it died)      any start may follow failed
//                  \-> failed
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "domain/plan.h"
#include "domain/states.h"
#include "platform/process_launcher.h"

namespace llmd::supervisor {

struct ServerSpec {
  std::string model;
  std::string folder_name;
  std::filesystem::path folder;  // absolute: start.sh lies there
  Launch launch;
  int threads = 1;  // LLMD_THREADS for the server
  int64_t reserved_bytes = 0;
};

// Called on the loop thread for every change of a server; must not block or call back in.
using ServerObserver = std::function<void(const ServerRecord&)>;

class Supervisor {
 public:
  using StartDone = std::function<void(StatusOr<ServerRecord>)>;
  using StopDone = std::function<void(Status)>;

  virtual ~Supervisor() = default;

  // Starts the loop and adopts every server below run/servers that is ours and alive (boot id, pid,
  // start time and token agree); cleans up after those that have ended. Returns the adopted ones.
  virtual StatusOr<std::vector<ServerRecord>> Begin() = 0;
  // Ends the loop. Servers go on running.
  virtual void End() = 0;

  // `done` is called once, on the loop thread, when it is ready or has failed: kUnavailable (code
  // "server_failed") with the exit code and last log lines, kDeadlineExceeded (code
  // "server_start_timeout"). A start of a server that is starting or ready joins it.
  virtual void Start(const ServerSpec& spec, StartDone done) = 0;
  // SIGTERM, up to `grace`, then SIGKILL for the whole group. OK when none is running.
  virtual void Stop(std::string_view folder_name, std::chrono::milliseconds grace,
                    StopDone done) = 0;
  virtual std::vector<ServerRecord> List() = 0;  // all that are not stopped
};

struct SupervisorOptions {
  std::filesystem::path shim;         // the llmd-shim binary
  std::filesystem::path servers_dir;  // $LLMD_HOME/run/servers
  std::filesystem::path sockets_dir;  // same, or elsewhere when that path is too long
  // How long a shim may take over what it does at once in health, before it and its server are
  // killed. (One that is found at the start is left alone instead.)
  std::chrono::milliseconds shim_patience{15'000};
};

std::unique_ptr<Supervisor> MakeShimSupervisor(platform::ProcessLauncher& launcher,
                                               const Clock& clock, Metrics& metrics,
                                               SupervisorOptions options, ServerObserver observer);

}  // namespace llmd::supervisor
