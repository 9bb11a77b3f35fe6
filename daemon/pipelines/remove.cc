#include "pipelines/remove.h"

#include <chrono>
#include <future>
#include <memory>

#include "base/file.h"
#include "base/hash.h"

namespace llmd::pipelines {
namespace {

namespace fs = std::filesystem;

Status StopServer(const PipelineParts& parts, const std::string& model) {
  auto stopped = std::make_shared<std::promise<Status>>();
  std::future<Status> result = stopped->get_future();
  parts.router.Stop(model, 0, [stopped](const StatusOr<ServerRecord>& server) {
    stopped->set_value(server.status());
  });
  return result.get();
}

// Trash of this or an earlier attempt: models/.staging/.removed-<folder>-<hex>.
Status EmptyTrash(const fs::path& staging, const std::string& prefix) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(staging, error)) {
    if (entry.path().filename().string().starts_with(prefix)) {
      LLMD_RETURN_IF_ERROR(RemoveTree(entry.path()));
    }
  }
  return OkStatus();
}

}  // namespace

Status RunRemove(const PipelineParts& parts, jobs::JobContext& context) {
  const std::string& name = context.job().subject;
  const std::string folder_name = parts.models.FolderFor(name);
  const std::string prefix = ".removed-" + folder_name + "-";
  if (parts.models.Get(name).ok()) {
    LLMD_RETURN_IF_ERROR(context.BeginStep("stop"));
    LLMD_RETURN_IF_ERROR(parts.models.SetState(name, ModelState::kRemoving));
    LLMD_RETURN_IF_ERROR(StopServer(parts, name));
    LLMD_RETURN_IF_ERROR(context.BeginStep("remove"));
    const fs::path folder = parts.home.model(folder_name);
    std::error_code error;
    if (fs::exists(folder, error)) {
      const fs::path trash = parts.home.staging() / (prefix + RandomHex(4));
      LLMD_RETURN_IF_ERROR(MakeFolders(parts.home.staging()));
      LLMD_RETURN_IF_ERROR(RenameNoReplace(folder, trash));
    }
    LLMD_RETURN_IF_ERROR(parts.models.Remove(name));
  }
  return EmptyTrash(parts.home.staging(), prefix);
}

}  // namespace llmd::pipelines
