#include "pipelines/install.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/json_reader.h"
#include "base/logging.h"
#include "base/version.h"
#include "domain/names.h"
#include "hub/download.h"

#include "planner/planner.h"
#include "scaffold/scaffold.h"

namespace llmd::pipelines {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kIntentFile[] = "install.json";

std::string TextOf(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// Whether an installed model is what this local folder holds: nobody notes the path, since folders
// are moved, but every file is there with the same size.
bool CameFrom(const fs::path& model, const fs::path& source) {
  const StatusOr<scaffold::ModelInfo> info = scaffold::ReadModelInfo(model);
  if (!info.ok()) return true;  // broken: what is to be done about it is said elsewhere
  if (info->profile.source != "folder") return false;
  return std::all_of(info->files.begin(), info->files.end(), [&source](const FileEntry& file) {
    std::error_code error;
    const auto size = fs::file_size(source / file.path, error);
    return !error && size == static_cast<uintmax_t>(file.size);
  });
}

}  // namespace

std::string InstallPayload(const InstallRequest& request) {
  return json{{"repo_id", request.source.repo_id},
              {"revision", request.source.revision},
              {"endpoint", request.source.credentials.endpoint},
              {"offline", request.source.offline},
              {"name", request.name},
              {"engine", request.wish.engine},
              {"variant", request.wish.variant},
              {"file", request.wish.file},
              {"quantization", request.wish.quantization},
              {"context", request.wish.context},
              {"force", request.wish.force},
              {"trust_remote_code", request.wish.trust_remote_code}}
      .dump();
}

StatusOr<InstallRequest> ParseInstallPayload(const std::string& payload) {
  LLMD_ASSIGN_OR_RETURN(const json object, ParseJson(payload, "the job's payload"));
  InstallRequest request;
  request.source = {.repo_id = TextOf(object, "repo_id"),
                    .revision = TextOf(object, "revision"),
                    .credentials = {.endpoint = TextOf(object, "endpoint")},
                    .offline = object.value("offline", false)};
  request.name = TextOf(object, "name");
  request.wish = {.engine = TextOf(object, "engine"),
                  .variant = TextOf(object, "variant"),
                  .file = TextOf(object, "file"),
                  .quantization = TextOf(object, "quantization"),
                  .context = object.value("context", int64_t{0}),
                  .force = object.value("force", false),
                  .trust_remote_code = object.value("trust_remote_code", false)};
  return request;
}

bool AsksForTheSame(const InstallRequest& a, const InstallRequest& b) {
  const auto key = [](const InstallRequest& request) {
    const Wish& wish = request.wish;
    return std::tie(request.source.repo_id, request.source.revision, wish.engine, wish.variant,
                    wish.file, wish.quantization, wish.context, wish.trust_remote_code);
  };
  return key(a) == key(b);
}

fs::path StagingFor(const platform::HomePaths& home, std::string_view name) {
  return home.staging() / fmt::format("{}-{}", FolderNameFor(name), Sha256Hex(name).substr(0, 12));
}

Status CheckNameIsFree(const PipelineParts& parts, const std::string& name,
                       const std::string& repo_id) {
  const StatusOr<serving::StoredModel> known = parts.models.Get(name);
  if (!known.ok()) return OkStatus();
  const bool is_folder = repo_id.starts_with('/');
  const bool same = is_folder ? CameFrom(parts.home.model(known->record.folder_name), repo_id)
                              : known->record.profile.repo_id == repo_id;
  if (same) return OkStatus();
  return MakeStatus(StatusCode::kAlreadyExists,
                    fmt::format("the name '{}' belongs to {}", name,
                                is_folder ? "another model" : known->record.profile.repo_id),
                    {.code = "name_taken", .next_step = "Choose another name with --name."});
}

InstallRun::InstallRun(const PipelineParts& parts, jobs::JobContext& context)
    : parts_(parts), context_(context), name_(context.job().subject) {}

void InstallRun::Say(std::string_view line) {
  context_.AddLog(line);
  log_ << FormatTime(parts_.clock.Now()) << ' ' << SanitizeForTerminal(line) << std::endl;
}

Status InstallRun::Run() {
  LLMD_ASSIGN_OR_RETURN(request_, ParseInstallPayload(context_.job().payload));
  const std::string endpoint = std::move(request_.source.credentials.endpoint);
  request_.source.credentials = context_.credentials();
  request_.source.credentials.endpoint = endpoint;
  folder_name_ = parts_.models.FolderFor(name_);
  staging_ = StagingFor(parts_.home, name_);

  LLMD_ASSIGN_OR_RETURN(const bool installed, AlreadyInstalled());
  if (installed) return OkStatus();

  const std::pair<const char*, Status (InstallRun::*)()> steps[] = {
      {"resolve", &InstallRun::Resolve},
      {"download", &InstallRun::Download},
      {"environment", &InstallRun::Environment},
      {"write", &InstallRun::Write},
      {"place", &InstallRun::Place},
  };
  Status status;
  for (const auto& [step, run] : steps) {
    status = context_.cancel().Check();
    if (status.ok()) status = context_.BeginStep(step);
    if (status.ok()) status = (this->*run)();
    if (!status.ok()) break;
  }
  if (!status.ok()) Say(fmt::format("failed: {}", Message(status)));
  return status;
}

StatusOr<bool> InstallRun::AlreadyInstalled() {
  LLMD_RETURN_IF_ERROR(CheckNameIsFree(parts_, name_, request_.source.repo_id));
  const StatusOr<serving::StoredModel> known = parts_.models.Get(name_);
  if (known.ok() && known->record.state == ModelState::kInstalled) {
    context_.AddLog(fmt::format("{} is installed already (commit {})", name_,
                                known->record.profile.revision.value_or("none")));
    return true;
  }
  const fs::path folder = parts_.home.model(folder_name_);
  std::error_code error;
  if (!fs::exists(folder, error)) return false;
  if (known.ok()) {
    return MakeStatus(StatusCode::kFailedPrecondition,
                      fmt::format("{} is {}: {} cannot be used", name_,
                                  ToString(known->record.state), folder.string()),
                      {.code = "model_broken",
                       .next_step = fmt::format("Remove it first: llmctl remove {}", name_)});
  }
  // Renamed into place by an attempt that was cut off before it was recorded.
  const StatusOr<scaffold::ModelInfo> info = scaffold::ReadModelInfo(folder);
  if (info.ok() && info->name == name_) {
    LLMD_RETURN_IF_ERROR(parts_.models.Adopt(folder_name_));
    context_.AddLog(fmt::format("{} was in its place already", name_));
    return true;
  }
  return FolderTaken();
}

Status InstallRun::FolderTaken() const {
  return MakeStatus(
      StatusCode::kAlreadyExists,
      fmt::format("the folder {} is there, but is not a model that llmd installed",
                  parts_.home.model(folder_name_).string()),
      {.code = "folder_taken",
       .next_step = "Move that folder away, or install under another name with --name."});
}

Status InstallRun::Resolve() {
  LLMD_RETURN_IF_ERROR(MakeFolders(staging_ / "logs"));
  log_.open(staging_ / "logs" / "install.log", std::ios::app);
  const fs::path intent = staging_ / kIntentFile;
  if (const auto earlier = ReadJsonFile(intent); earlier.ok()) {
    const std::string revision = TextOf(*earlier, "commit");
    if (TextOf(*earlier, "revision") == request_.source.revision && !revision.empty() &&
        TextOf(*earlier, "repo_id") == request_.source.repo_id) {
      request_.source.revision = revision;
      Say(fmt::format("going on with commit {}", revision));
    }
  }
  LLMD_ASSIGN_OR_RETURN(inspection_,
                        Inspect(parts_, request_.source, request_.wish, context_.cancel()));
  const planner::PlannerInput input{.facts = inspection_.facts,
                                    .machine = inspection_.machine,
                                    .wish = request_.wish,
                                    .engines = parts_.engines,
                                    .handlers = parts_.handlers};
  LLMD_ASSIGN_OR_RETURN(plan_, planner::MakePlan(input, inspection_.profile, name_, folder_name_));
  Say(fmt::format("{}: {} served by {}, {} files, {}", name_, inspection_.profile.kind,
                  plan_.engine, plan_.files.size(), FormatBytes(plan_.download_bytes)));
  return RecordIntent();
}

Status InstallRun::RecordIntent() {
  LLMD_ASSIGN_OR_RETURN(const InstallRequest asked, ParseInstallPayload(context_.job().payload));
  const json intent = {{"repo_id", asked.source.repo_id},
                       {"revision", asked.source.revision},
                       {"commit", inspection_.profile.revision.value_or("")},
                       {"job", context_.job().id}};
  return WriteFileAtomically(staging_ / kIntentFile, intent.dump(2));
}

Status InstallRun::Download() {
  LLMD_RETURN_IF_ERROR(MakeFolders(staging_ / "model"));
  LLMD_RETURN_IF_ERROR(PruneStaging());
  LLMD_ASSIGN_OR_RETURN(
      files_,
      hub::DownloadFiles(
          *inspection_.repository, plan_.files, staging_ / "model", {.metrics = &parts_.metrics},
          [this](const Progress& progress) { context_.SetProgress(progress); }, context_.cancel()));
  Say(fmt::format("{} files verified", files_.size()));
  return OkStatus();
}

// What an earlier attempt fetched and this plan does not name goes; partial files of files that are
// named stay.
Status InstallRun::PruneStaging() {
  std::set<std::string> wanted;
  for (const FileEntry& file : plan_.files) {
    wanted.insert(file.path);
    for (fs::path parent = fs::path(file.path).parent_path(); !parent.empty();
         parent = parent.parent_path()) {
      wanted.insert(parent.string() + "/");
    }
  }
  const fs::path model = staging_ / "model";
  std::vector<fs::path> unwanted;
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(model, error);
       at != fs::recursive_directory_iterator(); at.increment(error)) {
    const bool is_folder = fs::is_directory(at->symlink_status(error));
    std::string path = at->path().lexically_relative(model).string() + (is_folder ? "/" : "");
    for (const std::string_view suffix : {".llmd-part", ".llmd-journal"}) {
      if (path.ends_with(suffix)) path.resize(path.size() - suffix.size());
    }
    if (wanted.contains(path)) continue;
    unwanted.push_back(at->path());
    if (is_folder) at.disable_recursion_pending();
  }
  for (const fs::path& path : unwanted) LLMD_RETURN_IF_ERROR(RemoveTree(path));
  return OkStatus();
}

Status InstallRun::Environment() {
  context_.SetProgress({});
  LLMD_ASSIGN_OR_RETURN(environment_,
                        parts_.environments.Build(
                            {.folder = staging_,
                             .packages = plan_.packages,
                             .agent_wheel = parts_.agent_wheel,
                             .smoke_argv = plan_.smoke_argv},
                            [this](std::string_view line) { Say(line); }, context_.cancel()));
  return KeepAgentWheel(environment_.agent_wheel_sha256);
}

Status InstallRun::KeepAgentWheel(const std::string& sha256) {
  if (sha256.empty()) return OkStatus();
  const fs::path folder = parts_.home.cache() / "wheels" / sha256;
  LLMD_RETURN_IF_ERROR(MakeFolders(folder));
  const fs::path target = folder / parts_.agent_wheel.filename();
  std::error_code error;
  if (fs::exists(target, error)) return OkStatus();
  LLMD_ASSIGN_OR_RETURN(const std::string wheel, ReadFile(parts_.agent_wheel, 64u << 20));
  return WriteFileAtomically(target, wheel, 0644);
}

Status InstallRun::Write() {
  const scaffold::ModelInfo info{.profile = inspection_.profile,
                                 .launch = plan_.launch,
                                 .name = name_,
                                 .folder_name = folder_name_,
                                 .files = files_,
                                 .environment_hash = environment_.environment_hash,
                                 .lock_sha256 = environment_.lock_sha256,
                                 .python_version = environment_.python_version,
                                 .agent_wheel_sha256 = environment_.agent_wheel_sha256,
                                 .memory_bytes = plan_.memory_bytes,
                                 .installed_at = parts_.clock.Now(),
                                 .llmd_version = kVersion};
  return scaffold::WriteModelFolder(staging_, parts_.data_dir / "templates", info, plan_.scripts);
}

Status InstallRun::MoveIntoPlace() {
  const Status moved = RenameNoReplace(staging_, parts_.home.model(folder_name_));
  if (moved.code() != StatusCode::kAlreadyExists) return moved;
  const auto holder = scaffold::ReadModelInfo(parts_.home.model(folder_name_));
  const std::string other = OtherFolderNameFor(name_);
  if (!holder.ok() || holder->name == name_ || folder_name_ == other) return FolderTaken();
  folder_name_ = other;
  LLMD_RETURN_IF_ERROR(Write());
  return RenameNoReplace(staging_, parts_.home.model(folder_name_));
}

Status InstallRun::Place() {
  LLMD_RETURN_IF_ERROR(RemoveTree(staging_ / kIntentFile));
  // The rename must not become durable before what it renames.
  LLMD_RETURN_IF_ERROR(SyncFileSystem(staging_));
  LLMD_RETURN_IF_ERROR(MoveIntoPlace());
  LLMD_RETURN_IF_ERROR(parts_.models.Adopt(folder_name_));
  Say(fmt::format("{} is installed in {}", name_, parts_.home.model(folder_name_).string()));
  return OkStatus();
}

}  // namespace llmd::pipelines
