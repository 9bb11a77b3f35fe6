// What llmd and llmd-shim tell each other: the files in a server's folder below run/servers and the
// messages over shim.sock. Both programs may be of different versions, so unknown members are
// ignored and every file and message carries a number. Functions are pure but for the file ones.
//
// shim.sock carries JSON lines. A client sends requests; the shim answers `status`, and sends
// events to those that have asked to `attach` until `ended`, after which it is gone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace llmd::platform {

inline constexpr int kShimSchema = 1;    // of the files
inline constexpr int kShimProtocol = 1;  // of the messages

inline constexpr size_t kMaxShimMessage = 1u << 20;
inline constexpr size_t kMaxLastLogLines = 50;
inline constexpr size_t kMaxLastLogLine = 2048;  // bytes
inline constexpr size_t kMaxReadyLine = 16u << 10;

// The environment variables of a model server (see agent/PROTOCOL.md).
inline constexpr char kListenFdVariable[] = "LLMD_LISTEN_FD";
inline constexpr char kSocketVariable[] = "LLMD_SOCKET";
inline constexpr char kReadyFdVariable[] = "LLMD_READY_FD";
// Marks all processes of one start, so that they can be found when their shim was killed.
inline constexpr char kMarkVariable[] = "LLMD_SERVER_MARK";

// Descriptors in llmd-shim and in the server.
inline constexpr int kShimClientFd = 3;  // in the shim: a client that is attached from the start
inline constexpr int kReadyFd = 3;       // in the server
inline constexpr int kListenFd = 4;      // in the server, where the shim listens

struct ProcessIdentity {
  int64_t pid = 0;
  int64_t start_ticks = 0;
  bool operator==(const ProcessIdentity&) const = default;
};

// spec.json: what the shim is to run. Paths are absolute.
struct ShimSpec {
  std::string model;
  std::string folder_name;
  std::filesystem::path folder;  // the model's
  std::string engine;
  std::string bind;  // inherit | unix | tcp: with unix the server binds, else the shim listens
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // the whole of it, but for what the shim adds
  std::filesystem::path log;
  std::filesystem::path shim_socket;
  std::filesystem::path api_socket;
  std::string token;
  // Not for the shim, but for the llmd that adopts the server.
  int64_t reserved_bytes = 0;
  int64_t ready_timeout_seconds = 0;
  std::optional<WallTime> started_at;
};

enum class ShimPhase { kStarting, kReady, kStopping };

// state.json: what runs.
struct ShimState {
  int protocol = kShimProtocol;
  std::string model;
  std::string folder_name;
  std::string engine;
  std::string boot_id;
  ProcessIdentity shim;
  ProcessIdentity server;
  std::string token;
  std::string endpoint;  // unix:///...
  ShimPhase phase = ShimPhase::kStarting;
  std::optional<WallTime> ready_at;
  std::string spec_sha256;
  std::filesystem::path log;
};

// exit.json: how it ended.
struct ShimExit {
  int exit_code = 0;   // -1 when a signal ended it
  int signal = 0;      // 0 when it exited by itself
  bool asked = false;  // a stop was asked for before
  bool oom = false;    // killed for want of memory, where that can be told
  std::optional<WallTime> ended_at;
  std::vector<std::string> last_log;

  bool clean() const { return asked || (exit_code == 0 && signal == 0); }
};

struct StatusRequest {};
struct StopRequest {
  double grace_seconds = 0;
};
struct AttachRequest {};  // answered by a status, then events
using ShimRequest = std::variant<StatusRequest, StopRequest, AttachRequest>;

// What a server says over its ready descriptor, and the shim passes on.
struct ServerEvent {
  enum class Kind { kListening, kLoading, kReady, kFailed };
  Kind kind = Kind::kListening;
  std::string message;
};
struct StoppingEvent {};  // somebody has asked for a stop
struct EndedEvent {
  ShimExit exit;
};
struct ShimError {  // the shim cannot do its work and ends
  std::string message;
};
using ShimMessage = std::variant<ShimState, ServerEvent, StoppingEvent, EndedEvent, ShimError>;

std::string ToJson(const ShimSpec& spec);
std::string ToJson(const ShimState& state);
std::string ToJson(const ShimExit& exit);
// One line each, without the line break.
std::string ToLine(const ShimRequest& request);
std::string ToLine(const ShimMessage& message);

// kInvalidArgument for what is not of that form or lacks a member; kFailedPrecondition for a schema
// or protocol that this version does not know.
StatusOr<ShimSpec> ParseShimSpec(std::string_view text);
StatusOr<ShimState> ParseShimState(std::string_view text);
StatusOr<ShimExit> ParseShimExit(std::string_view text);
StatusOr<ShimRequest> ParseShimRequest(std::string_view line);
StatusOr<ShimMessage> ParseShimMessage(std::string_view line);
StatusOr<ServerEvent> ParseServerEvent(std::string_view line);

std::string_view ToString(ShimPhase phase);

// The mark of a start, made from its token; it tells nothing about the token.
std::string MarkFor(std::string_view token);
// The same as it stands in an environment: "LLMD_SERVER_MARK=...".
std::string MarkAssignment(std::string_view token);

// The files of one server's folder.
struct ServerFiles {
  std::filesystem::path folder;
  std::filesystem::path spec() const { return folder / "spec.json"; }
  std::filesystem::path state() const { return folder / "state.json"; }
  std::filesystem::path exit() const { return folder / "exit.json"; }
};
inline std::filesystem::path ShimSocketIn(const std::filesystem::path& folder) {
  return folder / "shim.sock";
}
inline std::filesystem::path ApiSocketIn(const std::filesystem::path& folder) {
  return folder / "api.sock";
}

}  // namespace llmd::platform
