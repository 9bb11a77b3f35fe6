#include "pipelines/remove.h"

#include <chrono>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_reader.h"

namespace llmd::pipelines {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Status StopServer(const PipelineParts& parts, const std::string& model) {
  auto stopped = std::make_shared<std::promise<Status>>();
  std::future<Status> result = stopped->get_future();
  parts.router.Stop(model, 0, [stopped](const StatusOr<ServerRecord>& server) {
    stopped->set_value(server.status());
  });
  return result.get();
}

// Trash of this or an earlier attempt: models/.staging/.removed-<hash of the name>-<hex>. Named
// after the model, not its folder: once the model is forgotten, nobody knows which that was.
std::string TrashPrefix(const std::string& model) {
  return fmt::format(".removed-{}-", Sha256Hex(model).substr(0, 12));
}

Status EmptyTrash(const fs::path& staging, const std::string& prefix) {
  std::vector<fs::path> trash;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(staging, error)) {
    if (entry.path().filename().string().starts_with(prefix)) trash.push_back(entry.path());
  }
  for (const fs::path& path : trash) LLMD_RETURN_IF_ERROR(RemoveTree(path));
  return OkStatus();
}

bool IsForced(const std::string& payload) {
  const StatusOr<json> object = ParseJson(payload, "the job's payload");
  return object.ok() && object->is_object() && object->value("force", false);
}

// The model cannot be started any more; its server ends and its folder leaves models/.
Status TakeAway(const PipelineParts& parts, jobs::JobContext& context, const std::string& name,
                const fs::path& folder) {
  if (!IsForced(context.job().payload)) {
    LLMD_ASSIGN_OR_RETURN(const ServerRecord server, parts.router.Server(name));
    LLMD_RETURN_IF_ERROR(CheckNotRunning(server));
  }
  LLMD_RETURN_IF_ERROR(StopServer(parts, name));
  LLMD_RETURN_IF_ERROR(context.cancel().Check());
  LLMD_RETURN_IF_ERROR(context.BeginStep("remove"));
  std::error_code error;
  if (!fs::exists(fs::symlink_status(folder, error))) return OkStatus();
  LLMD_RETURN_IF_ERROR(MakeFolders(parts.home.staging()));
  return RenameNoReplace(folder, parts.home.staging() / (TrashPrefix(name) + RandomHex(4)));
}

}  // namespace

std::string RemovePayload(const RemoveRequest& request) {
  return json{{"force", request.force}}.dump();
}

Status CheckNotRunning(const ServerRecord& server) {
  using enum ServerState;
  if (server.state == kStopped || server.state == kFailed || server.state == kCrashLoop) {
    return OkStatus();
  }
  return MakeStatus(
      StatusCode::kFailedPrecondition, fmt::format("{} is running", server.model),
      {.code = "model_running",
       .next_step = fmt::format("Stop it first (llmctl stop {}), or remove it with --force.",
                                server.model)});
}

Status RunRemove(const PipelineParts& parts, jobs::JobContext& context) {
  const std::string& name = context.job().subject;
  if (const auto model = parts.models.Get(name); model.ok()) {
    LLMD_RETURN_IF_ERROR(context.cancel().Check());
    LLMD_RETURN_IF_ERROR(context.BeginStep("stop"));
    LLMD_RETURN_IF_ERROR(parts.models.SetState(name, ModelState::kRemoving));
    const fs::path folder = parts.home.model(model->record.folder_name);
    if (const Status status = TakeAway(parts, context, name, folder); !status.ok()) {
      // It is still there, so it is usable again.
      const bool broken = model->record.state == ModelState::kBroken;
      const Status back =
          parts.models.SetState(name, broken ? ModelState::kBroken : ModelState::kInstalled);
      return back.ok() ? status : back;
    }
    LLMD_RETURN_IF_ERROR(parts.models.Remove(name));
  }
  return EmptyTrash(parts.home.staging(), TrashPrefix(name));
}

}  // namespace llmd::pipelines
