#include "supervisor/managed_server.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/logging.h"
#include "platform/exit_descriptor.h"
#include "platform/process_table.h"
#include "platform/unix_socket.h"
#include "supervisor/failure.h"

namespace llmd::supervisor {

namespace {

using platform::ServerEvent;
using platform::ShimPhase;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kTimeoutGrace{5};  // for a server that was not ready in time
constexpr seconds kForceLimit{10};   // for what was killed to be gone
constexpr size_t kMaxUnsent = 64u << 10;

short Found(const std::vector<pollfd>& waits, int fd) {
  const auto at =
      std::find_if(waits.begin(), waits.end(), [fd](const pollfd& wait) { return wait.fd == fd; });
  return at == waits.end() || fd < 0 ? short{0} : at->revents;
}

}  // namespace

ManagedServer::ManagedServer(const ServerContext& context, std::string folder_name)
    : context_(context), folder_(FolderOf(context.options, folder_name)) {
  record_.folder_name = std::move(folder_name);
}

// ---- what others ask for

void ManagedServer::Start(const ServerSpec& spec, Supervisor::StartDone done) {
  switch (phase_) {
    case Phase::kReady: return done(record_);
    case Phase::kStarting: starts_.push_back(std::move(done)); return;
    case Phase::kIdle: {
      std::vector<Supervisor::StartDone> starts;
      starts.push_back(std::move(done));
      return BeginLaunch(spec, std::move(starts));
    }
    default: break;
  }
  if (!next_) next_.emplace(Waiting{.spec = spec, .starts = {}});
  next_->starts.push_back(std::move(done));
}

void ManagedServer::Stop(milliseconds grace, Supervisor::StopDone done) {
  if (phase_ == Phase::kIdle) {
    if (record_.state == ServerState::kFailed) SetState(ServerState::kStopped);
    return done(OkStatus());
  }
  stops_.push_back(std::move(done));
  if (const std::optional<Waiting> waiting = std::exchange(next_, std::nullopt)) {
    for (const auto& start : waiting->starts) start(StoppedBeforeReady(waiting->spec.model));
  }
  if (phase_ == Phase::kLeftovers) return;
  stop_asked_ = true;
  AskToStop(grace);
  if (record_.state != ServerState::kStopping) SetState(ServerState::kStopping);
}

void ManagedServer::AskToStop(milliseconds grace) {
  phase_ = Phase::kEnding;
  ready_by_.reset();
  const SteadyTime by = In(grace + context_.options.shim_patience);
  gone_by_ = gone_by_ ? std::min(*gone_by_, by) : by;
  stop_grace_ = stop_grace_ ? std::min(*stop_grace_, grace) : grace;
  if (!SendStop()) Reconnect();
}

bool ManagedServer::SendStop() {
  return Send(
      platform::StopRequest{.grace_seconds = std::chrono::duration<double>(*stop_grace_).count()});
}

void ManagedServer::Abandon(const Status& why) {
  for (const auto& done : std::exchange(starts_, {})) done(why);
  for (const auto& done : std::exchange(stops_, {})) done(why);
  if (const std::optional<Waiting> waiting = std::exchange(next_, std::nullopt)) {
    for (const auto& done : waiting->starts) done(why);
  }
}

// ---- starting

void ManagedServer::BeginLaunch(const ServerSpec& spec, std::vector<Supervisor::StartDone> starts) {
  phase_ = Phase::kStarting;
  starts_ = std::move(starts);
  server_ = {};
  shim_ = {};
  forced_ = stop_asked_ = timed_out_ = was_ready_ = false;
  said_.clear();
  exit_.reset();
  stop_grace_.reset();
  gone_by_.reset();
  ready_limit_ = ReadyLimit(spec.launch.ready_timeout_seconds);
  ready_by_ = In(ready_limit_);
  record_ = {.model = spec.model,
             .folder_name = spec.folder_name,
             .engine = spec.launch.engine,
             .reserved_bytes = spec.reserved_bytes,
             .started_at = context_.clock.Now()};
  SetState(ServerState::kStarting);
  launch_failure_ = Launch(spec);
  if (!launch_failure_.ok()) Conclude();
}

Status ManagedServer::Launch(const ServerSpec& spec) {
  LLMD_RETURN_IF_ERROR(folder_.Prepare());
  token_ = RandomHex(32);
  shim_socket_ = folder_.shim_socket();
  const std::string text = ToJson(MakeShimSpec(spec, folder_, token_, *record_.started_at));
  LLMD_RETURN_IF_ERROR(WriteFileAtomically(folder_.files.spec(), text));
  LLMD_ASSIGN_OR_RETURN(auto ends, platform::SocketPair());
  LLMD_ASSIGN_OR_RETURN(
      process_,
      context_.launcher.Launch({.program = context_.options.shim,
                                .arguments = {"--attached", "--spec-sha256", Sha256Hex(text),
                                              folder_.files.spec().string()},
                                .environment = {},
                                .descriptors = {{ends.second.get(), platform::kShimClientFd}},
                                .new_session = true}));
  connection_.emplace(std::move(ends.first), platform::kMaxShimMessage, kMaxUnsent);
  return OkStatus();
}

// ---- the line to the shim

bool ManagedServer::Send(const platform::ShimRequest& request) {
  return connection_ && connection_->Send(platform::ToLine(request));
}

void ManagedServer::Receive() {
  if (connection_ && connection_->Receive([this](std::string_view line) { OnLine(line); })) return;
  connection_.reset();
  if (phase_ == Phase::kAdopting) return Refuse("it hung up");
  if (phase_ != Phase::kIdle && !exit_) Reconnect();
}

void ManagedServer::Reconnect() {
  connection_.reset();
  auto socket = platform::ConnectUnix(shim_socket_);
  if (socket.ok()) {
    connection_.emplace(std::move(*socket), platform::kMaxShimMessage, kMaxUnsent);
    bool sent = Send(platform::AttachRequest{});
    if (sent && stop_grace_) sent = SendStop();
    if (sent) return;
    connection_.reset();
  }
  // It is ending, or cannot be talked to any more: then it is of no use.
  const SteadyTime by = In(context_.options.shim_patience);
  gone_by_ = gone_by_ ? std::min(*gone_by_, by) : by;
}

void ManagedServer::OnLine(std::string_view line) {
  const StatusOr<platform::ShimMessage> message = platform::ParseShimMessage(line);
  if (!message.ok()) {
    Log("supervisor")
        .Warn("a message from llmd-shim is not understood",
              {{"model", record_.model}, {"why", Message(message.status())}});
    return;
  }
  if (phase_ == Phase::kAdopting) {
    const auto* state = std::get_if<platform::ShimState>(&*message);
    if (state == nullptr || !IsOurs(*state)) return Refuse("it does not know our token");
    Accept(*state);
  }
  if (phase_ == Phase::kIdle) return;
  std::visit([this](const auto& specific) { On(specific); }, *message);
}

void ManagedServer::On(const platform::ShimState& state) {
  if (!SameSecret(state.token, token_)) return;
  shim_ = state.shim;
  server_ = state.server;
  const bool is_news = record_.pid != server_.pid;
  record_.pid = server_.pid;
  record_.endpoint = state.endpoint;
  if (phase_ == Phase::kStarting && state.phase == ShimPhase::kReady) return BecomeReady();
  if (is_news && phase_ == Phase::kStarting && process_) SetState(record_.state);
}

void ManagedServer::On(const ServerEvent& event) {
  if (event.kind == ServerEvent::Kind::kReady && phase_ == Phase::kStarting) BecomeReady();
  if (event.kind != ServerEvent::Kind::kFailed) return;
  said_ = event.message;
  // The shim ends it.
  if (phase_ != Phase::kStarting && phase_ != Phase::kReady) return;
  phase_ = Phase::kEnding;
  ready_by_.reset();
  gone_by_ = In(kTimeoutGrace + context_.options.shim_patience);
}

void ManagedServer::On(const platform::StoppingEvent&) {
  if (phase_ != Phase::kStarting && phase_ != Phase::kReady) return;
  phase_ = Phase::kEnding;
  stop_asked_ = true;
  ready_by_.reset();
  gone_by_ = In(kForeignStop);
  SetState(ServerState::kStopping);
}

void ManagedServer::On(const platform::EndedEvent& event) {
  exit_ = event.exit;
  phase_ = Phase::kEnding;
  ready_by_.reset();
  gone_by_ = In(context_.options.shim_patience);
}

void ManagedServer::On(const platform::ShimError& error) {
  // While a server runs this answers a request of ours; before, the shim ends.
  if (server_.pid == 0) said_ = error.message;
  Log("supervisor").Warn("llmd-shim: " + error.message, {{"model", record_.model}});
}

void ManagedServer::BecomeReady() {
  phase_ = Phase::kReady;
  was_ready_ = true;
  ready_by_.reset();
  SetState(ServerState::kReady);
  for (const auto& done : std::exchange(starts_, {})) done(record_);
}

// ---- the loop

int ManagedServer::exit_descriptor() const {
  return process_ ? process_->exit_descriptor() : adopted_exit_.get();
}

void ManagedServer::AddToPoll(std::vector<pollfd>& waits) const {
  if (connection_) waits.push_back({connection_->fd(), connection_->events(), 0});
  if (exit_descriptor() >= 0) waits.push_back({exit_descriptor(), POLLIN, 0});
  for (const FileDescriptor& process : leftovers_) waits.push_back({process.get(), POLLIN, 0});
}

void ManagedServer::OnPoll(const std::vector<pollfd>& waits) {
  const bool shim_gone = Found(waits, exit_descriptor()) != 0;
  const short events = connection_ ? Found(waits, connection_->fd()) : short{0};
  if (std::erase_if(leftovers_,
                    [&waits](const FileDescriptor& process) {
                      return Found(waits, process.get()) != 0;
                    }) > 0 &&
      leftovers_.empty() && phase_ == Phase::kLeftovers) {
    return Conclude();
  }
  if ((events & POLLOUT) != 0 && !connection_->Flush()) return Reconnect();
  if ((events & ~POLLOUT) != 0) Receive();
  if (shim_gone && exit_descriptor() >= 0) OnShimGone();
}

std::optional<SteadyTime> ManagedServer::deadline() const {
  if (ready_by_ && gone_by_) return std::min(*ready_by_, *gone_by_);
  return ready_by_ ? ready_by_ : gone_by_;
}

void ManagedServer::OnTime(SteadyTime now) {
  if (ready_by_ && now >= *ready_by_) {
    timed_out_ = true;
    AskToStop(kTimeoutGrace);
  }
  if (!gone_by_ || now < *gone_by_) return;
  gone_by_.reset();
  if (phase_ == Phase::kAdopting) return Refuse("it does not answer");
  if (!forced_) return KillByForce();
  // Not even that helped: say so, and wait for its end without a limit.
  const Status status = StopTimedOut(record_.model, server_.pid);
  Log("supervisor").Error(Message(status), {{"model", record_.model}});
  for (const auto& done : std::exchange(stops_, {})) done(status);
  for (const auto& done : std::exchange(starts_, {})) done(status);
}

// ---- the end

void ManagedServer::KillByForce() {
  forced_ = true;
  gone_by_ = In(kForceLimit);
  Log("supervisor")
      .Warn("llmd-shim does not end its server: both are killed",
            {{"model", record_.model}, {"pid", std::to_string(server_.pid)}});
  for (const pid_t pid : platform::ProcessesWithVariable(platform::MarkAssignment(token_))) {
    ::kill(pid, SIGKILL);
  }
  if (process_) {
    process_->Signal(SIGKILL);
  } else if (shim_.pid > 1 &&
             platform::IsRunning(static_cast<pid_t>(shim_.pid), shim_.start_ticks)) {
    ::kill(static_cast<pid_t>(shim_.pid), SIGKILL);
  }
}

void ManagedServer::OnShimGone() {
  // What it said before is still in the socket; its end closes that.
  constexpr int kMaxReads = 256;
  const auto read = [this](std::string_view line) { OnLine(line); };
  for (int i = 0; i < kMaxReads && connection_ && connection_->Receive(read); ++i) {
  }
  if (phase_ == Phase::kAdopting) return Refuse("it ended");
  connection_.reset();
  adopted_exit_.Close();
  if (process_) {
    // It has ended, so this takes its exit status and does not wait.
    const StatusOr<platform::ProcessExit> exit = process_->Wait(CancelToken());
    if (exit.ok() && exit->code == 1 && said_.empty() && server_.pid == 0) {
      said_ = "llmd-shim could not start it";
    }
    process_.reset();
  }
  if (!exit_) exit_ = folder_.ReadExit();
  EndLeftovers();
}

void ManagedServer::EndLeftovers() {
  phase_ = Phase::kLeftovers;
  ready_by_.reset();
  gone_by_.reset();
  const auto wait_for = [this](pid_t pid) {
    auto exit = platform::OpenExitDescriptor(pid);
    if (exit.ok()) leftovers_.push_back(std::move(*exit));
  };
  if (!exit_) {
    // The shim did not clean up, so this does: by the mark, which no stranger bears.
    for (const pid_t pid : platform::ProcessesWithVariable(platform::MarkAssignment(token_))) {
      ::kill(pid, SIGKILL);
      wait_for(pid);
    }
    // The system kills the server with its shim; until it is gone it holds its memory.
    if (platform::IsRunning(static_cast<pid_t>(server_.pid), server_.start_ticks)) {
      wait_for(static_cast<pid_t>(server_.pid));
    }
  }
  if (leftovers_.empty()) return Conclude();
  forced_ = true;
  gone_by_ = In(kForceLimit);
}

void ManagedServer::Conclude() {
  const ServerEnd end{
      .model = record_.model, .exit = exit_, .was_ready = was_ready_, .said = said_};
  const bool asked = stop_asked_ || (exit_ && exit_->asked && !timed_out_);
  Status failure;
  if (!launch_failure_.ok()) {
    failure = CannotLaunch(end.model, launch_failure_);
  } else if (timed_out_ && !stop_asked_) {
    failure = StartTimedOut(end, ready_limit_);
  } else if (!asked) {
    failure = ServerFailed(end);
  }
  folder_.Remove();
  phase_ = Phase::kIdle;
  gone_by_.reset();
  ready_by_.reset();
  leftovers_.clear();
  launch_failure_ = OkStatus();
  record_.pid = 0;
  record_.endpoint.clear();
  SetState(failure.ok() ? ServerState::kStopped : ServerState::kFailed, Message(failure));
  CountEnd();
  const Status told = failure.ok() ? StoppedBeforeReady(record_.model) : failure;
  auto starts = std::exchange(starts_, {});
  auto stops = std::exchange(stops_, {});
  for (const auto& done : starts) done(told);
  for (const auto& done : stops) done(OkStatus());
  if (std::optional<Waiting> waiting = std::exchange(next_, std::nullopt)) {
    BeginLaunch(waiting->spec, std::move(waiting->starts));
  }
}

void ManagedServer::CountEnd() const {
  const char* how = record_.state == ServerState::kStopped ? "stopped"
                    : exit_ && exit_->oom                  ? "oom"
                                                           : "failed";
  context_.metrics.Count(metric::kServerEnds, {{"model", record_.model}, {"how", how}});
}

void ManagedServer::SetState(ServerState state, std::string reason) {
  record_.state = state;
  record_.reason = FirstLine(reason);
  const Log log("supervisor");
  const std::string name(ToString(state));
  if (state == ServerState::kFailed) {
    log.Warn("server failed", {{"model", record_.model}, {"why", reason}});
  } else {
    log.Info("server " + name, {{"model", record_.model}, {"pid", std::to_string(record_.pid)}});
  }
  context_.changed(record_);
}

}  // namespace llmd::supervisor
