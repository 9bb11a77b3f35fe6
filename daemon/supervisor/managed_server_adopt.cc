// How a server that llmd finds at its start is taken over, or mourned.
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/logging.h"
#include "platform/exit_descriptor.h"
#include "platform/process_table.h"
#include "platform/unix_socket.h"
#include "supervisor/managed_server.h"

namespace llmd::supervisor {

namespace {

using platform::ShimPhase;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kAdoptionLimit{5000};
constexpr seconds kDefaultReadyLimit{600};
constexpr size_t kMaxUnsent = 64u << 10;

}  // namespace

seconds ManagedServer::ReadyLimit(int64_t given) {
  return given > 0 ? seconds(given) : kDefaultReadyLimit;
}

void ManagedServer::Adopt(const FoundServer& found) {
  const platform::ShimState& state = *found.state;
  phase_ = Phase::kAdopting;
  gone_by_ = In(std::min(kAdoptionLimit, context_.options.shim_patience));
  folder_ = found.folder;
  token_ = state.token;
  shim_ = state.shim;
  shim_socket_ = found.spec ? found.spec->shim_socket : folder_.shim_socket();
  record_ = {.model = state.model,
             .folder_name = state.folder_name,
             .engine = state.engine,
             .reserved_bytes = found.spec ? found.spec->reserved_bytes : 0,
             .started_at = found.spec ? found.spec->started_at : std::nullopt};
  ready_limit_ = ReadyLimit(found.spec ? found.spec->ready_timeout_seconds : 0);
  // First the descriptor, then the look at who that is: so it cannot be somebody else's later.
  auto exit = platform::OpenExitDescriptor(static_cast<pid_t>(shim_.pid));
  if (!exit.ok() || !platform::IsRunning(static_cast<pid_t>(shim_.pid), shim_.start_ticks)) {
    return Refuse("its shim is gone");
  }
  adopted_exit_ = std::move(*exit);
  auto socket = platform::ConnectUnix(shim_socket_);
  if (!socket.ok()) return Refuse(Message(socket.status()));
  const auto peer = platform::PeerOf(socket->get());
  if (!peer.ok() || (peer->pid != 0 && peer->pid != shim_.pid)) {
    return Refuse("another process listens at its socket");
  }
  connection_.emplace(std::move(*socket), platform::kMaxShimMessage, kMaxUnsent);
  if (!Send(platform::AttachRequest{})) Refuse("it does not answer");
}

bool ManagedServer::IsOurs(const platform::ShimState& state) const {
  return SameSecret(state.token, token_) && state.shim == shim_;
}

void ManagedServer::Accept(const platform::ShimState& state) {
  gone_by_.reset();
  record_.endpoint = state.endpoint;
  switch (state.phase) {
    case ShimPhase::kReady:
      phase_ = Phase::kReady;
      was_ready_ = true;
      record_.state = ServerState::kReady;
      return;
    case ShimPhase::kStarting: {
      phase_ = Phase::kStarting;
      record_.state = ServerState::kStarting;
      // Its time has run while nobody looked; a clock that jumped gives it no more than it had.
      const auto used = context_.clock.Now() - record_.started_at.value_or(context_.clock.Now());
      const auto left = std::chrono::duration_cast<milliseconds>(ready_limit_ - used);
      ready_by_ = In(std::clamp(left, milliseconds(1000), milliseconds(ready_limit_)));
      return;
    }
    case ShimPhase::kStopping:
      phase_ = Phase::kEnding;
      record_.state = ServerState::kStopping;
      gone_by_ = In(kForeignStop);
      return;
  }
}

void ManagedServer::Refuse(std::string_view why) {
  Log("supervisor")
      .Warn("left a process alone that may have been a model server of ours",
            {{"model", record_.model},
             {"pid", std::to_string(shim_.pid)},
             {"why", std::string(why)}});
  phase_ = Phase::kIdle;
  record_ = {.folder_name = record_.folder_name};
  connection_.reset();
  adopted_exit_.Close();
  gone_by_.reset();
  folder_.Remove();
}

void ManagedServer::Mourn(const FoundServer& found, Verdict verdict) {
  const platform::ShimState& state = *found.state;
  folder_ = found.folder;
  record_ = {.model = state.model, .folder_name = state.folder_name, .engine = state.engine};
  token_ = state.token;
  was_ready_ = state.ready_at.has_value();
  exit_ = found.exit;
  // Nobody has failed where the machine was switched off.
  stop_asked_ = verdict == Verdict::kRebooted;
  if (verdict != Verdict::kShimGone) return Conclude();
  server_ = state.server;
  EndLeftovers();
}

}  // namespace llmd::supervisor
