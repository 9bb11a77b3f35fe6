#include "domain/states.h"

#include <array>
#include <utility>

namespace llmd {
namespace {

template <typename State, size_t N>
using Names = std::array<std::pair<State, std::string_view>, N>;

constexpr Names<ModelState, 4> kModelStates = {{{ModelState::kInstalling, "installing"},
                                                {ModelState::kInstalled, "installed"},
                                                {ModelState::kBroken, "broken"},
                                                {ModelState::kRemoving, "removing"}}};
constexpr Names<JobState, 6> kJobStates = {{{JobState::kQueued, "queued"},
                                            {JobState::kRunning, "running"},
                                            {JobState::kCancelling, "cancelling"},
                                            {JobState::kSucceeded, "succeeded"},
                                            {JobState::kFailed, "failed"},
                                            {JobState::kCancelled, "cancelled"}}};
constexpr Names<ServerState, 7> kServerStates = {{{ServerState::kStopped, "stopped"},
                                                  {ServerState::kStarting, "starting"},
                                                  {ServerState::kReady, "ready"},
                                                  {ServerState::kDraining, "draining"},
                                                  {ServerState::kStopping, "stopping"},
                                                  {ServerState::kFailed, "failed"},
                                                  {ServerState::kCrashLoop, "crash_loop"}}};

template <typename State, size_t N>
std::string_view NameOf(const Names<State, N>& names, State state) {
  for (const auto& [value, name] : names) {
    if (value == state) return name;
  }
  return "unknown";
}

template <typename State, size_t N>
std::optional<State> StateOf(const Names<State, N>& names, std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ToString(ModelState state) { return NameOf(kModelStates, state); }
std::string_view ToString(JobState state) { return NameOf(kJobStates, state); }
std::string_view ToString(ServerState state) { return NameOf(kServerStates, state); }

std::optional<ModelState> ModelStateFromString(std::string_view text) {
  return StateOf(kModelStates, text);
}
std::optional<JobState> JobStateFromString(std::string_view text) {
  return StateOf(kJobStates, text);
}
std::optional<ServerState> ServerStateFromString(std::string_view text) {
  return StateOf(kServerStates, text);
}

bool MayFollow(JobState from, JobState to) {
  using enum JobState;
  switch (from) {
    case kQueued: return to == kRunning || to == kCancelled;
    case kRunning: return to == kQueued || to == kCancelling || IsTerminal(to);
    case kCancelling: return to == kCancelling || IsTerminal(to);
    default: return false;
  }
}

ErrorRecord ToErrorRecord(const Status& status) {
  ErrorInfo info = GetErrorInfo(status);
  return {.code = std::move(info.code),
          .message = Message(status),
          .next_step = std::move(info.next_step)};
}

Status ToStatus(const ErrorRecord& record, StatusCode code) {
  return MakeStatus(code == StatusCode::kOk ? StatusCode::kInternal : code, record.message,
                    {.code = record.code, .next_step = record.next_step});
}

}  // namespace llmd
