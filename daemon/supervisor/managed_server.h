// ManagedServer: the state machine of one model server (see supervisor.h) and its line to the shim.
// Lives on the supervisor's loop thread; callbacks are called there. Not thread-safe.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"
#include "platform/line_connection.h"
#include "platform/process_launcher.h"
#include "platform/shim_protocol.h"
#include "supervisor/adoption.h"
#include "supervisor/server_folder.h"
#include "supervisor/supervisor.h"

namespace llmd::supervisor {

// What all servers share; outlives them.
struct ServerContext {
  platform::ProcessLauncher& launcher;
  const Clock& clock;
  Metrics& metrics;
  const SupervisorOptions& options;
  std::function<void(const ServerRecord&)> changed;
};

class ManagedServer {
 public:
  ManagedServer(const ServerContext& context, std::string folder_name);

  void Start(const ServerSpec& spec, Supervisor::StartDone done);
  void Stop(std::chrono::milliseconds grace, Supervisor::StopDone done);
  // Connects to a shim that was found; adopting() tells when it is decided. A server that turns out
  // not to be ours is left alone and its folder removed.
  void Adopt(const FoundServer& found);
  bool adopting() const { return phase_ == Phase::kAdopting; }
  // Tells how a server that is not there any more has ended, and ends what is left of it.
  void Mourn(const FoundServer& found, Verdict verdict);

  void AddToPoll(std::vector<pollfd>& waits) const;
  // Deals with what poll(2) has found; `waits` holds what AddToPoll has added.
  void OnPoll(const std::vector<pollfd>& waits);
  // When OnTime wants to be called.
  std::optional<SteadyTime> deadline() const;
  void OnTime(SteadyTime now);
  // The loop ends: whoever waits is told so, the server goes on.
  void Abandon(const Status& why);

  const ServerRecord& record() const { return record_; }
  // Nothing runs and nobody waits.
  bool idle() const { return phase_ == Phase::kIdle; }

 private:
  enum class Phase {
    kIdle,
    kAdopting,   // connected to what was found, not yet sure whether it is ours
    kStarting,   // the shim runs, the server is not ready
    kReady,      //
    kEnding,     // it was asked to end, or has failed
    kLeftovers,  // the shim is gone, some of the server's processes not yet
  };
  struct Waiting {
    ServerSpec spec;
    std::vector<Supervisor::StartDone> starts;
  };

  // A stop that somebody else has asked for, with a grace that is not known.
  static constexpr std::chrono::seconds kForeignStop{3600};
  static std::chrono::seconds ReadyLimit(int64_t given);

  Status Launch(const ServerSpec& spec);
  void BeginLaunch(const ServerSpec& spec, std::vector<Supervisor::StartDone> starts);
  void AskToStop(std::chrono::milliseconds grace);
  bool SendStop();
  bool Send(const platform::ShimRequest& request);
  void Receive();
  void Reconnect();
  void OnLine(std::string_view line);
  void On(const platform::ShimState& state);
  void On(const platform::ServerEvent& event);
  void On(const platform::StoppingEvent& event);
  void On(const platform::EndedEvent& event);
  void On(const platform::ShimError& error);
  bool IsOurs(const platform::ShimState& state) const;
  void Accept(const platform::ShimState& state);
  void Refuse(std::string_view why);
  void BecomeReady();
  void KillByForce();
  void OnShimGone();
  void EndLeftovers();
  void Conclude();
  void CountEnd() const;
  void SetState(ServerState state, std::string reason = "");
  int exit_descriptor() const;
  SteadyTime In(std::chrono::milliseconds time) const { return context_.clock.Steady() + time; }

  const ServerContext& context_;
  ServerFolder folder_;
  ServerRecord record_;
  Phase phase_ = Phase::kIdle;

  // The shim and its server.
  std::string token_;
  std::filesystem::path shim_socket_;
  platform::ProcessIdentity shim_;
  platform::ProcessIdentity server_;
  std::unique_ptr<platform::Process> process_;  // a shim that this llmd has started
  FileDescriptor adopted_exit_;                 // of one that it has not
  std::optional<platform::LineConnection> connection_;
  std::vector<FileDescriptor> leftovers_;  // exit descriptors

  // How it goes.
  std::chrono::seconds ready_limit_{0};
  std::optional<SteadyTime> ready_by_;
  std::optional<SteadyTime> gone_by_;                    // then by force; in kAdopting: decided by
  std::optional<std::chrono::milliseconds> stop_grace_;  // what the shim was asked for
  bool forced_ = false;
  bool stop_asked_ = false;
  bool timed_out_ = false;
  bool was_ready_ = false;
  std::string said_;       // by the server or the shim, about its failure
  Status launch_failure_;  // OK: the shim has been started
  std::optional<platform::ShimExit> exit_;

  // Who waits.
  std::vector<Supervisor::StartDone> starts_;
  std::vector<Supervisor::StopDone> stops_;
  std::optional<Waiting> next_;  // a start that was asked for while the server was ending
};

}  // namespace llmd::supervisor
