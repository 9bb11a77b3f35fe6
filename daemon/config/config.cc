#include "config/config.h"

#include <algorithm>
#include <cstdlib>

#include "base/yaml_reader.h"
#include "config/keys.h"

namespace llmd::config {
namespace {

Status Invalid(std::string_view message, std::string_view next_step) {
  return MakeStatus(StatusCode::kInvalidArgument, message,
                    {.code = "invalid_config", .next_step = std::string(next_step)});
}

std::string Kind(const YamlNode& node) {
  if (node.IsMap()) return "a section";
  if (node.IsSequence()) return "a list";
  return "what is there";
}

// Walks llmd.yaml and takes each value that no variable overrides.
class FileReader {
 public:
  FileReader(std::string file, const Environment& environment, Config& config)
      : file_(std::move(file)), environment_(environment), config_(config) {}

  Status Read(const YamlNode& root) {
    if (root.IsNull()) return OkStatus();
    if (!root.IsMap()) return Fail(YamlError(file_, root, "wants lines of `key: value`"));
    return ReadSection("", root);
  }

 private:
  Status Fail(const Status& status) const {
    return WithInfo(status, {.code = "invalid_config",
                             .next_step = fmt::format("Mend {}; every key is optional.", file_)});
  }

  Status ReadSection(const std::string& section, const YamlNode& map) {
    for (const auto& [name, value] : map.entries) {
      LLMD_RETURN_IF_ERROR(
          ReadEntry(section.empty() ? name : fmt::format("{}.{}", section, name), name, value));
    }
    return OkStatus();
  }

  Status ReadEntry(const std::string& path, const std::string& name, const YamlNode& value) {
    if (const Key* key = FindKey(path)) return ReadValue(*key, value);
    const bool is_section = std::ranges::any_of(
        Keys(), [&](const Key& key) { return key.name.starts_with(path + "."); });
    if (!is_section || name.find('.') != std::string::npos) {
      const std::string section =
          path.substr(0, path.size() - std::min(path.size(), name.size() + 1));
      const std::string nearest = NearestKey(section, name);
      return Fail(YamlKeyError(
          file_, value,
          fmt::format("there is no setting '{}'{}", path,
                      nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest))));
    }
    if (value.IsNull()) return OkStatus();
    if (!value.IsMap()) {
      return Fail(YamlError(file_, value, fmt::format("'{}' wants settings below it", path)));
    }
    return ReadSection(path, value);
  }

  Status ReadValue(const Key& key, const YamlNode& value) {
    if (value.IsNull()) return OkStatus();
    Config ignored;
    const bool yields = std::ranges::any_of(
        key.yields_to, [this](const char* variable) { return !environment_(variable).empty(); });
    if (key.set(value, yields ? ignored : config_)) return OkStatus();
    return Fail(YamlError(file_, value,
                          fmt::format("'{}' wants {}, not {}", key.name, key.wants, Kind(value))));
  }

  std::string file_;
  const Environment& environment_;
  Config& config_;
};

// A value from the command line or the environment; `from` names it in the error.
Status SetFromText(std::string_view name, const std::string& text, std::string_view from,
                   Config& config) {
  if (text.empty()) return OkStatus();
  const Key& key = *FindKey(name);
  const YamlNode node{.kind = YamlNode::Kind::kScalar, .scalar = text};
  if (key.set(node, config)) return OkStatus();
  return Invalid(fmt::format("{} wants {}, not '{}'", from, key.wants, text),
                 fmt::format("Correct {}, or leave it out.", from));
}

Status CheckOnLoopback(const ListenAddress& address, std::string_view key, std::string_view flag) {
  if (address.IsLoopback()) return OkStatus();
  return MakeStatus(
      StatusCode::kFailedPrecondition,
      fmt::format("{} is not a loopback address: everybody on the network could use this machine "
                  "through it, and no keys are set up to keep them out",
                  address.ToString()),
      {.code = "open_address",
       .next_step = fmt::format("Set {} (or {}:) to 127.0.0.1:{}, and let a reverse proxy that "
                                "checks who asks stand before it.",
                                flag, key, address.port)});
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

StatusOr<Config> LoadConfig(const platform::HomePaths& home, const Flags& flags,
                            const Environment& environment) {
  Config config;
  config.home = home;
  config.log_to_stderr = !flags.quiet;
  const StatusOr<YamlNode> file = ReadYamlFile(home.config());
  if (file.ok()) {
    LLMD_RETURN_IF_ERROR(FileReader(home.config(), environment, config).Read(*file));
  } else if (file.status().code() != StatusCode::kNotFound) {
    return WithInfo(file.status(),
                    {.code = "invalid_config",
                     .next_step = fmt::format("Mend {}, or move it away to have the defaults.",
                                              home.config().string())});
  }
  for (const Key& key : Keys()) {
    if (key.variable.empty()) continue;
    const std::string value = environment(key.variable.c_str());
    LLMD_RETURN_IF_ERROR(SetFromText(key.name, value, key.variable, config));
  }
  LLMD_RETURN_IF_ERROR(SetFromText("listen", flags.listen, "--listen", config));
  LLMD_RETURN_IF_ERROR(SetFromText("grpc_listen", flags.grpc_listen, "--grpc-listen", config));
  LLMD_RETURN_IF_ERROR(SetFromText("log_level", flags.log_level, "--log-level", config));

  LLMD_RETURN_IF_ERROR(CheckOnLoopback(config.listen, "listen", "--listen"));
  if (config.grpc_listen) {
    LLMD_RETURN_IF_ERROR(CheckOnLoopback(*config.grpc_listen, "grpc_listen", "--grpc-listen"));
  }
  return config;
}

}  // namespace llmd::config
