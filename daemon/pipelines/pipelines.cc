#include "pipelines/pipelines.h"

#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "domain/names.h"
#include "pipelines/check.h"
#include "pipelines/install.h"
#include "pipelines/remove.h"
#include "planner/planner.h"

namespace llmd::pipelines {
namespace {

namespace fs = std::filesystem;

// A folder's last part, made fit for a model name: other characters become '-'.
std::string FolderToName(const fs::path& folder) {
  std::string name = folder.filename().empty() ? folder.parent_path().filename().string()
                                               : folder.filename().string();
  for (char& c : name) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!fine) c = '-';
  }
  return "local/" + name;
}

class StepPipelines final : public Pipelines {
 public:
  explicit StepPipelines(const PipelineParts& parts) : parts_(parts) {}

  StatusOr<CheckResult> Check(const CheckRequest& request, const CancelToken& cancel) override {
    LLMD_ASSIGN_OR_RETURN(Inspection inspection,
                          Inspect(parts_, request.source, request.wish, cancel));
    const int exit_code = planner::CheckExitCode(inspection.profile);
    return CheckResult{.profile = std::move(inspection.profile), .exit_code = exit_code};
  }

  StatusOr<JobRecord> Install(const InstallRequest& request) override {
    const bool is_folder = request.source.repo_id.starts_with('/');
    if (!is_folder) LLMD_RETURN_IF_ERROR(ValidateRepoId(request.source.repo_id));
    std::string name = request.name;
    if (name.empty())
      name = is_folder ? FolderToName(request.source.repo_id) : request.source.repo_id;
    LLMD_RETURN_IF_ERROR(Annotate(ValidateRepoId(name), "the model's name"));
    LLMD_RETURN_IF_ERROR(CheckNameIsFree(name, request.source.repo_id));
    return parts_.jobs.Submit({.kind = "install",
                               .subject = name,
                               .idempotency_key = request.idempotency_key.empty()
                                                      ? "install:" + name
                                                      : request.idempotency_key,
                               .payload = InstallPayload(request),
                               .credentials = request.source.credentials});
  }

  StatusOr<JobRecord> Remove(const RemoveRequest& request) override {
    LLMD_ASSIGN_OR_RETURN(const serving::StoredModel model, parts_.models.Resolve(request.model));
    const std::string& name = model.record.name;
    LLMD_ASSIGN_OR_RETURN(const ServerRecord server, parts_.router.Server(name));
    const bool running =
        server.state != ServerState::kStopped && server.state != ServerState::kFailed;
    if (running && !request.force) {
      return MakeStatus(StatusCode::kFailedPrecondition, fmt::format("{} is running", name),
                        {.code = "model_running",
                         .next_step = fmt::format(
                             "Stop it first (llmctl stop {}), or remove it with --force.", name)});
    }
    return parts_.jobs.Submit(
        {.kind = "remove", .subject = name, .idempotency_key = "remove:" + name, .payload = "{}"});
  }

  std::map<std::string, jobs::JobRunner> Runners() override {
    return {{"install",
             [this](jobs::JobContext& context) {
               Status status = InstallRun(parts_, context).Run();
               // Who cancels wants nothing left; who fails wants to go on where it stopped.
               if (!status.ok() && context.CancelRequested()) DropStaging(context.job().subject);
               return status;
             }},
            {"remove", [this](jobs::JobContext& context) { return RunRemove(parts_, context); }}};
  }

 private:
  // A name belongs to one repository.
  Status CheckNameIsFree(const std::string& name, const std::string& repo_id) {
    const StatusOr<serving::StoredModel> known = parts_.models.Get(name);
    if (!known.ok()) return OkStatus();
    const bool same = repo_id.starts_with('/') ? known->record.profile.source == "folder"
                                               : known->record.profile.repo_id == repo_id;
    if (same) return OkStatus();
    return MakeStatus(
        StatusCode::kAlreadyExists,
        fmt::format("the name '{}' belongs to {}", name, known->record.profile.repo_id),
        {.code = "name_taken", .next_step = "Choose another name with --name."});
  }

  void DropStaging(const std::string& name) {
    const Status status = RemoveTree(parts_.home.staging() / parts_.models.FolderFor(name));
    static_cast<void>(status);  // litter only; the next install of the model takes it up
  }

  PipelineParts parts_;
};

}  // namespace

std::unique_ptr<Pipelines> MakePipelines(const PipelineParts& parts) {
  return std::make_unique<StepPipelines>(parts);
}

}  // namespace llmd::pipelines
