// Shim: the life of one model server. Starts it, keeps its log, passes on what it says, ends it
// when asked, and leaves exit.json. One thread, one poll loop; nothing in it waits without a limit.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"
#include "platform/line_splitter.h"
#include "platform/shim_protocol.h"
#include "shim/clients.h"
#include "shim/log_writer.h"
#include "shim/server_process.h"
#include "shim/signal_pipe.h"

namespace llmd::shim {

struct ShimArguments {
  std::filesystem::path spec;
  std::string spec_sha256;  // what spec.json must have; empty: anything
  bool attached = false;    // a client waits at descriptor 3
};

class Shim {
 public:
  explicit Shim(ShimArguments arguments);

  // Runs the server to its end. An error means that it could not be started or kept.
  Status Run();

 private:
  using Steady = std::chrono::steady_clock;

  Status SetUp();
  Status ReadSpec();
  Status StartServer();
  void Loop();
  int MillisecondsLeft() const;
  void OnSignals();
  void ReadOutput();
  void ReadReady();
  void OnServerEvent(const platform::ServerEvent& event);
  void BeginStop(std::chrono::milliseconds grace, bool asked);
  void OnGraceOver();
  void Finish();
  void EndDescendants();
  void DrainPipes();
  platform::ShimExit MakeExit();
  // False when llmd has given the folder to another shim since, or has removed it.
  bool FolderIsOurs() const;
  Status WriteState();
  void UpdateState();
  std::vector<platform::ShimMessage> Greeting(bool attach) const;

  const ShimArguments arguments_;
  const platform::ServerFiles files_;  // relative to the working folder
  SignalPipe signals_;
  platform::ShimSpec spec_;
  platform::ShimState state_;
  FileDescriptor listener_;
  std::optional<LogWriter> log_;
  Clients clients_;
  ServerProcess server_;
  platform::LineSplitter ready_lines_{platform::kMaxReadyLine};
  std::optional<platform::ServerEvent> last_event_;
  std::optional<Steady::time_point> kill_at_;
  bool asked_ = false;
  bool killed_by_us_ = false;
  std::optional<int64_t> oom_kills_before_;
};

}  // namespace llmd::shim
