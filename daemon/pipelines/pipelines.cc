#include "pipelines/pipelines.h"

#include <utility>

#include "base/file.h"
#include "base/logging.h"
#include "domain/names.h"
#include "pipelines/check.h"
#include "pipelines/install.h"
#include "pipelines/remove.h"
#include "planner/planner.h"

namespace llmd::pipelines {
namespace {

namespace fs = std::filesystem;

// A folder's last part, made fit for a model name: whatever does not fit becomes one '-'.
std::string FolderToName(const fs::path& folder) {
  constexpr size_t kMaxLength = 96;
  const std::string given = folder.filename().empty() ? folder.parent_path().filename().string()
                                                      : folder.filename().string();
  const auto is_separator = [](char c) { return c == '.' || c == '-'; };
  std::string name;
  for (const char c : given) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    const char fit = fine ? c : '-';
    const bool repeated = is_separator(fit) && (name.empty() || is_separator(name.back()));
    if (!repeated && name.size() < kMaxLength) name += fit;
  }
  if (name.ends_with(".git")) name.resize(name.size() - 4);
  while (!name.empty() && is_separator(name.back())) name.pop_back();
  return "local/" + (name.empty() ? "model" : name);
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
    LLMD_RETURN_IF_ERROR(CheckNameIsFree(parts_, name, request.source.repo_id));
    LLMD_ASSIGN_OR_RETURN(JobRecord job,
                          parts_.jobs.Submit({.kind = "install",
                                              .subject = name,
                                              .idempotency_key = request.idempotency_key.empty()
                                                                     ? "install:" + name
                                                                     : request.idempotency_key,
                                              .payload = InstallPayload(request),
                                              .credentials = request.source.credentials}));
    LLMD_RETURN_IF_ERROR(CheckJoined(request, job));
    return job;
  }

  StatusOr<JobRecord> Remove(const RemoveRequest& request) override {
    LLMD_ASSIGN_OR_RETURN(const serving::StoredModel model, parts_.models.Resolve(request.model));
    const std::string& name = model.record.name;
    LLMD_ASSIGN_OR_RETURN(const ServerRecord server, parts_.router.Server(name));
    if (!request.force) LLMD_RETURN_IF_ERROR(CheckNotRunning(server));
    return parts_.jobs.Submit({.kind = "remove",
                               .subject = name,
                               .idempotency_key = "remove:" + name,
                               .payload = RemovePayload(request)});
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
  // The job may be one that was under way already.
  static Status CheckJoined(const InstallRequest& request, const JobRecord& job) {
    LLMD_ASSIGN_OR_RETURN(const InstallRequest running, ParseInstallPayload(job.payload));
    if (AsksForTheSame(request, running)) return OkStatus();
    return MakeStatus(StatusCode::kAlreadyExists,
                      fmt::format("{} is being installed from {} with other options (job {})",
                                  job.subject, running.source.repo_id, job.id),
                      {.code = "install_under_way",
                       .next_step = fmt::format(
                           "Wait for it, or cancel it first: llmctl jobs cancel {}", job.id)});
  }

  void DropStaging(const std::string& name) {
    const Status status = RemoveTree(StagingFor(parts_.home, name));
    if (status.ok()) return;
    // Litter only; the next install of the model takes it up.
    Log("pipelines").Warn("cannot clean up", {{"model", name}, {"why", Message(status)}});
  }

  PipelineParts parts_;
};

}  // namespace

std::unique_ptr<Pipelines> MakePipelines(const PipelineParts& parts) {
  return std::make_unique<StepPipelines>(parts);
}

}  // namespace llmd::pipelines
