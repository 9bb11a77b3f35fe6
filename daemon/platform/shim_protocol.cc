#include "platform/shim_protocol.h"

#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json_reader.h"

namespace llmd::platform {
namespace {

using Json = nlohmann::json;

constexpr std::pair<ShimPhase, std::string_view> kPhases[] = {{ShimPhase::kStarting, "starting"},
                                                              {ShimPhase::kReady, "ready"},
                                                              {ShimPhase::kStopping, "stopping"}};

using EventKind = ServerEvent::Kind;
constexpr std::pair<EventKind, std::string_view> kEvents[] = {{EventKind::kListening, "listening"},
                                                              {EventKind::kLoading, "loading"},
                                                              {EventKind::kReady, "ready"},
                                                              {EventKind::kFailed, "failed"}};

template <typename Table>
auto Find(const Table& table, std::string_view name) {
  for (const auto& [value, text] : table) {
    if (text == name) return std::optional(value);
  }
  return std::optional<std::decay_t<decltype(table[0].first)>>();
}

template <typename Table, typename Value>
std::string_view Name(const Table& table, Value value) {
  for (const auto& [known, text] : table) {
    if (known == value) return text;
  }
  return "";
}

// Log lines may hold any bytes: what is not UTF-8 is replaced.
std::string Dump(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json TimeToJson(const std::optional<WallTime>& time) {
  return time ? Json(FormatTime(*time)) : Json();
}

Json ToObject(const ProcessIdentity& process) {
  return {{"pid", process.pid}, {"start_ticks", process.start_ticks}};
}

Json ToObject(const ShimState& state) {
  return {{"schema", kShimSchema},
          {"protocol", state.protocol},
          {"model", state.model},
          {"folder", state.folder_name},
          {"engine", state.engine},
          {"boot_id", state.boot_id},
          {"shim", ToObject(state.shim)},
          {"server", ToObject(state.server)},
          {"token", state.token},
          {"endpoint", state.endpoint},
          {"phase", ToString(state.phase)},
          {"ready_at", TimeToJson(state.ready_at)},
          {"spec_sha256", state.spec_sha256},
          {"log", state.log.string()}};
}

Json ToObject(const ShimExit& exit) {
  return {{"schema", kShimSchema},
          {"exit_code", exit.signal == 0 ? Json(exit.exit_code) : Json()},
          {"signal", exit.signal != 0 ? Json(exit.signal) : Json()},
          {"asked", exit.asked},
          {"oom", exit.oom},
          {"ended_at", TimeToJson(exit.ended_at)},
          {"last_log", exit.last_log}};
}

std::optional<WallTime> TimeFrom(const Json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_string()) return std::nullopt;
  return ParseTime(at->get<std::string>());
}

ProcessIdentity ProcessFrom(const Json& object) {
  return {.pid = object.at("pid").get<int64_t>(),
          .start_ticks = object.at("start_ticks").get<int64_t>()};
}

ShimSpec SpecFrom(const Json& object) {
  ShimSpec spec{.model = object.at("model"),
                .folder_name = object.at("folder_name"),
                .folder = object.at("folder").get<std::string>(),
                .engine = object.at("engine"),
                .bind = object.at("bind"),
                .program = object.at("program").get<std::string>(),
                .arguments = object.at("arguments"),
                .environment = object.at("environment"),
                .log = object.at("log").get<std::string>(),
                .shim_socket = object.at("shim_socket").get<std::string>(),
                .api_socket = object.at("api_socket").get<std::string>(),
                .token = object.at("token"),
                .reserved_bytes = object.value("reserved_bytes", int64_t{0}),
                .ready_timeout_seconds = object.value("ready_timeout_seconds", int64_t{0}),
                .started_at = TimeFrom(object, "started_at")};
  return spec;
}

ShimState StateFrom(const Json& object) {
  const auto phase = Find(kPhases, object.at("phase").get<std::string>());
  return {.protocol = object.at("protocol"),
          .model = object.at("model"),
          .folder_name = object.at("folder"),
          .engine = object.at("engine"),
          .boot_id = object.at("boot_id"),
          .shim = ProcessFrom(object.at("shim")),
          .server = ProcessFrom(object.at("server")),
          .token = object.at("token"),
          .endpoint = object.at("endpoint"),
          .phase = phase.value_or(ShimPhase::kStarting),
          .ready_at = TimeFrom(object, "ready_at"),
          .spec_sha256 = object.at("spec_sha256"),
          .log = object.at("log").get<std::string>()};
}

ShimExit ExitFrom(const Json& object) {
  const Json& code = object.at("exit_code");
  const Json& signal = object.at("signal");
  return {.exit_code = code.is_null() ? -1 : code.get<int>(),
          .signal = signal.is_null() ? 0 : signal.get<int>(),
          .asked = object.at("asked"),
          .oom = object.at("oom"),
          .ended_at = TimeFrom(object, "ended_at"),
          .last_log = object.at("last_log")};
}

// Reads a document with `read`, which may throw what the JSON library throws.
template <typename T>
StatusOr<T> Parse(std::string_view text, std::string_view what, const char* number, int known,
                  T (*read)(const Json&)) {
  LLMD_ASSIGN_OR_RETURN(const Json json, ParseJson(text, what, {.max_bytes = kMaxShimMessage}));
  try {
    if (number != nullptr && json.at(number).get<int>() != known) {
      return FailedPrecondition("{}: {} {} is not known to this version", what, number,
                                json.at(number).get<int>());
    }
    return read(json);
  } catch (const Json::exception& error) {
    return InvalidArgument("{}: {}", what, error.what());
  }
}

// The library's own exception, so that Parse has one kind to catch.
[[noreturn]] void Unknown(const std::string& what) {
  throw Json::other_error::create(501, "unknown " + what, nullptr);
}

ShimRequest RequestFrom(const Json& object) {
  const std::string name = object.at("request");
  if (name == "status") return StatusRequest{};
  if (name == "attach") return AttachRequest{};
  if (name == "stop") return StopRequest{.grace_seconds = object.at("grace_seconds")};
  Unknown("request " + name);
}

ServerEvent ServerEventFrom(const Json& object) {
  const std::string name = object.at("event");
  const auto kind = Find(kEvents, name);
  if (!kind) Unknown("event " + name);
  return {.kind = *kind, .message = object.value("message", std::string())};
}

ShimMessage MessageFrom(const Json& object) {
  const std::string name = object.at("message");
  if (name == "status") return StateFrom(object.at("state"));
  if (name == "event") return ServerEventFrom(object.at("data"));
  if (name == "stopping") return StoppingEvent{};
  if (name == "ended") return EndedEvent{ExitFrom(object.at("exit"))};
  if (name == "error") return ShimError{object.at("text")};
  Unknown("message " + name);
}

struct RequestWriter {
  Json operator()(const StatusRequest&) const { return {{"request", "status"}}; }
  Json operator()(const AttachRequest&) const { return {{"request", "attach"}}; }
  Json operator()(const StopRequest& stop) const {
    return {{"request", "stop"}, {"grace_seconds", stop.grace_seconds}};
  }
};

struct MessageWriter {
  Json operator()(const ShimState& state) const {
    return {{"message", "status"}, {"state", ToObject(state)}};
  }
  Json operator()(const ServerEvent& event) const {
    return {{"message", "event"},
            {"data", {{"event", Name(kEvents, event.kind)}, {"message", event.message}}}};
  }
  Json operator()(const StoppingEvent&) const { return {{"message", "stopping"}}; }
  Json operator()(const EndedEvent& ended) const {
    return {{"message", "ended"}, {"exit", ToObject(ended.exit)}};
  }
  Json operator()(const ShimError& error) const {
    return {{"message", "error"}, {"text", error.message}};
  }
};

std::string WithProtocol(Json json) {
  json["protocol"] = kShimProtocol;
  return Dump(json);
}

Status CheckPaths(const ShimSpec& spec) {
  for (const auto& path :
       {spec.folder, spec.program, spec.log, spec.shim_socket, spec.api_socket}) {
    if (!path.is_absolute())
      return InvalidArgument("spec.json: '{}' is not absolute", path.string());
  }
  if (spec.token.empty()) return InvalidArgument("spec.json: token is empty");
  if (spec.bind != "inherit" && spec.bind != "unix" && spec.bind != "tcp") {
    return InvalidArgument("spec.json: bind '{}' is none of inherit, unix, tcp", spec.bind);
  }
  return OkStatus();
}

}  // namespace

std::string_view ToString(ShimPhase phase) { return Name(kPhases, phase); }

std::string ToJson(const ShimSpec& spec) {
  const Json json = {{"schema", kShimSchema},
                     {"model", spec.model},
                     {"folder_name", spec.folder_name},
                     {"folder", spec.folder.string()},
                     {"engine", spec.engine},
                     {"bind", spec.bind},
                     {"program", spec.program.string()},
                     {"arguments", spec.arguments},
                     {"environment", spec.environment},
                     {"log", spec.log.string()},
                     {"shim_socket", spec.shim_socket.string()},
                     {"api_socket", spec.api_socket.string()},
                     {"token", spec.token},
                     {"reserved_bytes", spec.reserved_bytes},
                     {"ready_timeout_seconds", spec.ready_timeout_seconds},
                     {"started_at", TimeToJson(spec.started_at)}};
  return Dump(json, 2) + "\n";
}

std::string ToJson(const ShimState& state) { return Dump(ToObject(state), 2) + "\n"; }

std::string ToJson(const ShimExit& exit) { return Dump(ToObject(exit), 2) + "\n"; }

std::string ToLine(const ShimRequest& request) {
  return WithProtocol(std::visit(RequestWriter(), request));
}

std::string ToLine(const ShimMessage& message) {
  return WithProtocol(std::visit(MessageWriter(), message));
}

StatusOr<ShimSpec> ParseShimSpec(std::string_view text) {
  LLMD_ASSIGN_OR_RETURN(ShimSpec spec, Parse(text, "spec.json", "schema", kShimSchema, SpecFrom));
  LLMD_RETURN_IF_ERROR(CheckPaths(spec));
  return spec;
}

StatusOr<ShimState> ParseShimState(std::string_view text) {
  return Parse(text, "state.json", "schema", kShimSchema, StateFrom);
}

StatusOr<ShimExit> ParseShimExit(std::string_view text) {
  return Parse(text, "exit.json", "schema", kShimSchema, ExitFrom);
}

StatusOr<ShimRequest> ParseShimRequest(std::string_view line) {
  return Parse(line, "shim request", "protocol", kShimProtocol, RequestFrom);
}

StatusOr<ShimMessage> ParseShimMessage(std::string_view line) {
  return Parse(line, "shim message", "protocol", kShimProtocol, MessageFrom);
}

StatusOr<ServerEvent> ParseServerEvent(std::string_view line) {
  return Parse(line.substr(0, kMaxReadyLine), "server event", nullptr, 0, ServerEventFrom);
}

std::string MarkFor(std::string_view token) {
  return Sha256Hex("llmd server mark " + std::string(token)).substr(0, 32);
}

std::string MarkAssignment(std::string_view token) {
  return fmt::format("{}={}", kMarkVariable, MarkFor(token));
}

}  // namespace llmd::platform
