#include "shim/shim.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "base/hash.h"
#include "platform/cgroup.h"
#include "platform/process_table.h"
#include "platform/unix_socket.h"

namespace llmd::shim {

namespace {

using platform::ServerEvent;
using platform::ShimPhase;

constexpr std::chrono::seconds kTermGrace{10};   // for a SIGTERM to the shim
constexpr std::chrono::seconds kFailedGrace{5};  // for a server that says it has failed
constexpr std::chrono::seconds kKillLimit{5};    // for strays to go
constexpr int kStrayLookMs = 50;
constexpr int kFarewellMs = 1000;
constexpr int kBacklog = 512;
constexpr double kMaxGraceSeconds = 24 * 3600;

std::string Describe(const platform::ShimExit& exit) {
  if (exit.signal != 0) return fmt::format("the server was ended by signal {}", exit.signal);
  return fmt::format("the server ended with exit code {}", exit.exit_code);
}

}  // namespace

Shim::Shim(ShimArguments arguments)
    : arguments_(std::move(arguments)),
      clients_(
          [this](const platform::StopRequest& stop) {
            const double seconds = std::clamp(stop.grace_seconds, 0.0, kMaxGraceSeconds);
            BeginStop(std::chrono::milliseconds(std::llround(seconds * 1000)), true);
          },
          [this](bool attach) { return Greeting(attach); }) {}

Status Shim::Run() {
  LLMD_RETURN_IF_ERROR(signals_.Install());
  if (arguments_.attached) {
    LLMD_RETURN_IF_ERROR(platform::SetNonBlocking(platform::kShimClientFd));
    ::fcntl(platform::kShimClientFd, F_SETFD, FD_CLOEXEC);
    clients_.AddAttached(FileDescriptor(platform::kShimClientFd));
  }
  Status status = SetUp();
  if (status.ok()) status = StartServer();
  if (!status.ok()) {
    if (log_) log_->Note(Message(status));
    clients_.Broadcast(platform::ShimError{Message(status)});
    clients_.Finish(kFarewellMs);
    return status;
  }
  clients_.GreetAttached();
  Loop();
  Finish();
  return OkStatus();
}

Status Shim::SetUp() {
  ::setsid();  // fails where the launcher has done it: then it is so already
  ::umask(077);
  // The files are named relative to it from here on: should llmd remove the folder and make a new
  // one of the same name, this shim cannot write into that.
  if (::chdir(arguments_.spec.parent_path().c_str()) != 0) {
    return ErrnoStatus(errno, "cannot enter " + arguments_.spec.parent_path().string());
  }
#if defined(__linux__)
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return ErrnoStatus(errno, "subreaper");
#endif
  LLMD_RETURN_IF_ERROR(ReadSpec());
  log_.emplace(spec_.log, LogWriter::Limits{.last_lines = platform::kMaxLastLogLines,
                                            .last_line_bytes = platform::kMaxLastLogLine});
  LLMD_RETURN_IF_ERROR(log_->Open());
  if (spec_.bind == "unix") {
    ::unlink(spec_.api_socket.c_str());
  } else {
    LLMD_ASSIGN_OR_RETURN(listener_, platform::ListenUnix(spec_.api_socket, kBacklog));
    // The flag belongs to the socket: a server that expects a blocking one shall get it.
    const int flags = ::fcntl(listener_.get(), F_GETFL);
    ::fcntl(listener_.get(), F_SETFL, flags & ~O_NONBLOCK);
  }
  return clients_.Listen(spec_.shim_socket);
}

Status Shim::ReadSpec() {
  LLMD_ASSIGN_OR_RETURN(const std::string text, ReadFile(files_.spec(), platform::kMaxShimMessage));
  state_.spec_sha256 = Sha256Hex(text);
  if (!arguments_.spec_sha256.empty() && arguments_.spec_sha256 != state_.spec_sha256) {
    return FailedPrecondition("{} is not the one that this start was made for",
                              files_.spec().string());
  }
  LLMD_ASSIGN_OR_RETURN(spec_, platform::ParseShimSpec(text));
  LLMD_ASSIGN_OR_RETURN(state_.boot_id, platform::BootId());
  const auto self = platform::FindProcess(::getpid());
  if (!self) return Internal("this process is not in the process table");
  state_.shim = {.pid = self->pid, .start_ticks = self->start_ticks};
  state_.model = spec_.model;
  state_.folder_name = spec_.folder_name;
  state_.engine = spec_.engine;
  state_.token = spec_.token;
  state_.endpoint = "unix://" + spec_.api_socket.string();
  state_.log = spec_.log;
  return OkStatus();
}

Status Shim::StartServer() {
  oom_kills_before_ = platform::ReadCgroup().oom_kills;
  LLMD_RETURN_IF_ERROR(server_.Start(spec_, listener_));
  state_.server = server_.identity();
  log_->Note(fmt::format("started {} as process {}", spec_.program.string(), state_.server.pid));
  const Status written = WriteState();
  if (!written.ok()) {
    // A server that nobody could find again must not live.
    EndDescendants();
    return written;
  }
  // Only the server needs it now: with it the queue of waiting connections ends.
  listener_.Close();
  return OkStatus();
}

void Shim::Loop() {
  while (!server_.ended()) {
    std::vector<pollfd> waits{{signals_.fd(), POLLIN, 0},
                              {server_.output().get(), POLLIN, 0},
                              {server_.ready().get(), POLLIN, 0}};
    clients_.AddToPoll(waits);
    const int found = ::poll(waits.data(), waits.size(), MillisecondsLeft());
    if (found > 0) {
      if (waits[1].revents != 0) ReadOutput();
      if (waits[2].revents != 0) ReadReady();
      if (waits[0].revents != 0) OnSignals();
      clients_.OnPoll(waits);
    }
    if (kill_at_ && Steady::now() >= *kill_at_) OnGraceOver();
  }
}

int Shim::MillisecondsLeft() const {
  if (!kill_at_) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*kill_at_ - Steady::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30));
}

void Shim::OnSignals() {
  const SignalPipe::Seen seen = signals_.Take();
  if (seen.terminate) BeginStop(kTermGrace, true);
  if (seen.child) server_.Reap();
}

void Shim::ReadOutput() {
  char buffer[64 << 10];
  const ssize_t got = ::read(server_.output().get(), buffer, sizeof(buffer));
  if (got > 0) log_->Write({buffer, static_cast<size_t>(got)});
  if (got == 0) server_.CloseOutput();
}

void Shim::ReadReady() {
  char buffer[16 << 10];
  const ssize_t got = ::read(server_.ready().get(), buffer, sizeof(buffer));
  if (got == 0) server_.CloseReady();
  if (got <= 0) return;
  ready_lines_.Feed({buffer, static_cast<size_t>(got)}, [this](std::string_view line) {
    const StatusOr<ServerEvent> event = platform::ParseServerEvent(line);
    if (event.ok()) {
      OnServerEvent(*event);
    } else {
      log_->Note(Message(event.status()));
    }
  });
}

void Shim::OnServerEvent(const ServerEvent& event) {
  last_event_ = event;
  if (event.kind == ServerEvent::Kind::kReady && state_.phase == ShimPhase::kStarting) {
    state_.phase = ShimPhase::kReady;
    state_.ready_at = SystemClock().Now();
    UpdateState();
  }
  clients_.Broadcast(event);
  if (event.kind == ServerEvent::Kind::kFailed) BeginStop(kFailedGrace, false);
}

void Shim::BeginStop(std::chrono::milliseconds grace, bool asked) {
  const auto kill_at = Steady::now() + grace;
  // A later request may shorten the grace, never lengthen it.
  if (!kill_at_ || kill_at < *kill_at_) kill_at_ = kill_at;
  const bool first = asked && !asked_;
  asked_ = asked_ || asked;
  if (state_.phase != ShimPhase::kStopping) {
    state_.phase = ShimPhase::kStopping;
    UpdateState();
    server_.Signal(SIGTERM);
  }
  if (first) clients_.Broadcast(platform::StoppingEvent{});
}

void Shim::OnGraceOver() {
  kill_at_.reset();
  killed_by_us_ = true;
  log_->Note("the server did not end in time and is killed");
  server_.KillAll();
}

void Shim::Finish() {
  EndDescendants();
  DrainPipes();
  const platform::ShimExit exit = MakeExit();
  log_->Note(Describe(exit) + (exit.oom ? " for want of memory" : ""));
  if (FolderIsOurs()) {
    ::unlink(spec_.api_socket.c_str());
    ::unlink(spec_.shim_socket.c_str());
    const Status written = WriteFileAtomically(files_.exit(), platform::ToJson(exit));
    if (!written.ok()) log_->Note(Message(written));
  }
  clients_.Broadcast(platform::EndedEvent{exit});
  clients_.Finish(kFarewellMs);
}

void Shim::EndDescendants() {
  const auto deadline = Steady::now() + kKillLimit;
  server_.Reap();
  // A killed process may leave children that come to us only then, so look again until none is
  // left.
  while (server_.HasDescendants() && Steady::now() < deadline) {
    server_.KillAll();
    pollfd wait{signals_.fd(), POLLIN, 0};
    if (::poll(&wait, 1, kStrayLookMs) > 0) signals_.Take();
    server_.Reap();
  }
}

void Shim::DrainPipes() {
  // What a process that could not be killed goes on writing is of no interest.
  constexpr int kMaxReads = 64;
  for (const FileDescriptor* pipe : {&server_.output(), &server_.ready()}) {
    for (int reads = 0; reads < kMaxReads && pipe->valid(); ++reads) {
      pollfd wait{pipe->get(), POLLIN, 0};
      if (::poll(&wait, 1, 0) <= 0) break;
      pipe == &server_.output() ? ReadOutput() : ReadReady();
    }
  }
}

platform::ShimExit Shim::MakeExit() {
  platform::ShimExit exit;
  const int status = server_.wait_status();
  exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  exit.exit_code = exit.signal != 0 ? -1 : WEXITSTATUS(status);
  exit.asked = asked_;
  const bool killed = exit.signal == SIGKILL || exit.exit_code == 128 + SIGKILL;
  const auto oom_kills = platform::ReadCgroup().oom_kills;
  exit.oom =
      killed && !killed_by_us_ && oom_kills && oom_kills_before_ && *oom_kills > *oom_kills_before_;
  exit.ended_at = SystemClock().Now();
  exit.last_log = log_->LastLines();
  return exit;
}

Status Shim::WriteState() { return WriteFileAtomically(files_.state(), platform::ToJson(state_)); }

bool Shim::FolderIsOurs() const {
  const StatusOr<std::string> text = ReadFile(files_.state(), platform::kMaxShimMessage);
  if (!text.ok()) return false;
  const StatusOr<platform::ShimState> state = platform::ParseShimState(*text);
  return state.ok() && state->shim == state_.shim && state->boot_id == state_.boot_id;
}

void Shim::UpdateState() {
  if (!FolderIsOurs()) return;
  const Status written = WriteState();
  if (!written.ok()) log_->Note(Message(written));
}

std::vector<platform::ShimMessage> Shim::Greeting(bool attach) const {
  std::vector<platform::ShimMessage> messages{state_};
  if (attach && last_event_) messages.emplace_back(*last_event_);
  if (attach && asked_) messages.emplace_back(platform::StoppingEvent{});
  return messages;
}

}  // namespace llmd::shim
