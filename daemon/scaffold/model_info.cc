#include "scaffold/model_info.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "domain/json_fields.h"
#include "domain/names.h"

namespace llmd::scaffold {
namespace {

using nlohmann::json;

constexpr int kSchema = 1;
// A manifest of 100,000 files.
constexpr JsonLimits kLimits{.max_bytes = 64u << 20, .max_depth = 64, .max_nodes = 2'000'000};

Status Broken(std::string_view source, std::string_view why) {
  return MakeStatus(
      StatusCode::kDataLoss, fmt::format("{}: {}", source, why),
      {.code = "broken_model_info", .next_step = "Install the model again, or restore this file."});
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// Weights lie in model/: a path that leads elsewhere would let a folder from outside read any file.
bool IsInsideModel(const std::string& weights) {
  return weights.empty() || weights == "model" ||
         (weights.starts_with("model/") && ValidateRepoPath(weights).ok());
}

Status Check(const ModelInfo& info, std::string_view source) {
  if (info.name.empty()) return Broken(source, "it has no name");
  for (const FileEntry& file : info.files) {
    if (const Status path = ValidateRepoPath(file.path); !path.ok()) {
      return Broken(source, Message(path));
    }
    if (!IsSha256(file.sha256)) {
      return Broken(source, fmt::format("the sha256 of {} is not one", file.path));
    }
    if (file.size < 0) return Broken(source, fmt::format("the size of {} is negative", file.path));
  }
  if (!IsInsideModel(info.launch.weights)) {
    return Broken(source, "launch.weights is not a path below model/");
  }
  return OkStatus();
}

StatusOr<ModelInfo> ReadFields(const json& object) {
  ModelInfo info;
  std::string installed_at;
  JsonFields fields(object, "model_info");
  fields.Read("name", info.name);
  fields.Read("folder", info.folder_name);
  fields.Read("llmd_version", info.llmd_version);
  fields.Read("installed_at", installed_at);
  fields.Read("memory_bytes", info.memory_bytes);
  fields.ReadObject("environment", [&info](JsonFields& environment) {
    environment.Read("hash", info.environment_hash);
    environment.Read("lock_sha256", info.lock_sha256);
    environment.Read("python", info.python_version);
    environment.Read("agent_wheel_sha256", info.agent_wheel_sha256);
  });
  fields.ReadList("files", info.files, [](JsonFields& one, FileEntry& file) {
    one.Read("path", file.path);
    one.Read("size", file.size);
    one.Read("sha256", file.sha256);
  });
  LLMD_RETURN_IF_ERROR(fields.status());
  if (!object.contains("profile") || !object.contains("launch")) {
    return InvalidArgument("profile or launch is missing");
  }
  LLMD_ASSIGN_OR_RETURN(info.profile, ProfileFromJson(object["profile"]));
  LLMD_ASSIGN_OR_RETURN(info.launch, LaunchFromJson(object["launch"]));
  const std::optional<WallTime> time = ParseTime(installed_at);
  if (!time) return InvalidArgument("installed_at is not a time");
  info.installed_at = *time;
  return info;
}

}  // namespace

StatusOr<std::string> FormatModelInfo(const ModelInfo& info) {
  json files = json::array();
  for (const FileEntry& file : info.files) {
    files.push_back({{"path", file.path}, {"size", file.size}, {"sha256", file.sha256}});
  }
  const json object = {{"schema", kSchema},
                       {"name", info.name},
                       {"folder", info.folder_name},
                       {"llmd_version", info.llmd_version},
                       {"installed_at", FormatTime(info.installed_at)},
                       {"profile", ProfileToJson(info.profile)},
                       {"launch", LaunchToJson(info.launch)},
                       {"files", std::move(files)},
                       {"environment",
                        {{"hash", info.environment_hash},
                         {"lock_sha256", info.lock_sha256},
                         {"python", info.python_version},
                         {"agent_wheel_sha256", info.agent_wheel_sha256}}},
                       {"memory_bytes", info.memory_bytes}};
  try {
    return object.dump(2) + "\n";
  } catch (const json::exception& error) {
    return MakeStatus(
        StatusCode::kInvalidArgument,
        fmt::format("the model's description cannot be written: {}", error.what()),
        {.code = "not_utf8", .next_step = "The repository holds text that is not UTF-8."});
  }
}

StatusOr<ModelInfo> ParseModelInfo(std::string_view text, std::string_view source) {
  const StatusOr<json> object = ParseJson(text, source, kLimits);
  if (!object.ok()) return Broken(source, Message(object.status()));
  if (!object->is_object()) return Broken(source, "it is not an object");
  const auto schema = object->find("schema");
  if (schema == object->end() || !schema->is_number_integer() || *schema < 1) {
    return Broken(source, "it has no schema");
  }
  if (*schema > kSchema) {
    return MakeStatus(StatusCode::kFailedPrecondition,
                      fmt::format("{} was written by a newer llmd", source),
                      {.code = "newer_model_info", .next_step = "Upgrade llmd."});
  }
  StatusOr<ModelInfo> info = ReadFields(*object);
  if (!info.ok()) return Broken(source, Message(info.status()));
  LLMD_RETURN_IF_ERROR(Check(*info, source));
  return info;
}

}  // namespace llmd::scaffold
