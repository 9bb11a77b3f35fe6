#include "supervisor/server_folder.h"

#include <algorithm>

#include "base/file.h"
#include "base/logging.h"
#include "domain/names.h"
#include "platform/private_folder.h"

namespace llmd::supervisor {

namespace fs = std::filesystem;

namespace {

bool IsServerId(std::string_view name) {
  return name.size() == 12 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

ServerFolder FolderById(const SupervisorOptions& options, const std::string& id) {
  return {.files = {options.servers_dir / id}, .sockets = options.sockets_dir / id};
}

// What a model server sees beside the variables that the shim adds.
std::map<std::string, std::string> EnvironmentOf(const ServerSpec& spec) {
  std::map<std::string, std::string> variables = platform::CleanEnvironment(false);
  for (const auto& [name, value] : spec.launch.environment) {
    if (!name.starts_with("LLMD_")) variables[name] = value;
  }
  variables["HF_HUB_OFFLINE"] = "1";
  variables["TRANSFORMERS_OFFLINE"] = "1";
  variables["PYTHONNOUSERSITE"] = "1";
  variables["PYTHONUNBUFFERED"] = "1";  // a crash loses no line of the log
  variables["LLMD_THREADS"] = std::to_string(std::max(1, spec.threads));
  return variables;
}

}  // namespace

Status ServerFolder::Prepare() const {
  LLMD_RETURN_IF_ERROR(RemoveTree(files.folder));
  LLMD_RETURN_IF_ERROR(platform::MakePrivateFolder(files.folder));
  if (sockets == files.folder) return OkStatus();
  // The parent lies among other users' files: it must be ours alone before anything is put there.
  LLMD_RETURN_IF_ERROR(platform::MakePrivateFolder(sockets.parent_path()));
  return platform::MakePrivateFolder(sockets);
}

void ServerFolder::Remove() const {
  Status status = RemoveTree(files.folder);
  if (sockets != files.folder) status.Update(RemoveTree(sockets));
  if (!status.ok()) {
    Log("supervisor").Warn("cannot remove a server's folder", {{"why", Message(status)}});
  }
}

std::optional<platform::ShimExit> ServerFolder::ReadExit() const {
  const StatusOr<std::string> text = ReadFile(files.exit(), platform::kMaxShimMessage);
  if (!text.ok()) return std::nullopt;
  StatusOr<platform::ShimExit> exit = platform::ParseShimExit(*text);
  if (!exit.ok()) return std::nullopt;
  return std::move(*exit);
}

ServerFolder FolderOf(const SupervisorOptions& options, std::string_view folder_name) {
  return FolderById(options, ServerIdFor(folder_name));
}

std::vector<ServerFolder> ExistingFolders(const SupervisorOptions& options) {
  std::vector<ServerFolder> folders;
  std::error_code error;
  for (fs::directory_iterator at(options.servers_dir, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (IsServerId(name)) folders.push_back(FolderById(options, name));
  }
  return folders;
}

platform::ShimSpec MakeShimSpec(const ServerSpec& spec, const ServerFolder& folder,
                                std::string token, WallTime started_at) {
  return {.model = spec.model,
          .folder_name = spec.folder_name,
          .folder = spec.folder,
          .engine = spec.launch.engine,
          .bind = spec.launch.bind.empty() ? "inherit" : spec.launch.bind,
          .program = spec.folder / "start.sh",
          .environment = EnvironmentOf(spec),
          .log = spec.folder / "logs" / "server.log",
          .shim_socket = folder.shim_socket(),
          .api_socket = folder.api_socket(),
          .token = std::move(token),
          .reserved_bytes = spec.reserved_bytes,
          .ready_timeout_seconds = spec.launch.ready_timeout_seconds,
          .started_at = started_at};
}

}  // namespace llmd::supervisor
