// Install, as a durable job: a list of named steps, each safe to repeat. Everything is made in
// models/.staging/<name>-<hash> and becomes a model by one rename, so that nothing half-installed
// is ever in models/. A job that was cut off finds what the attempt before it left there.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/status.h"
#include "domain/plan.h"
#include "jobs/job_pool.h"
#include "pipelines/check.h"
#include "pipelines/pipelines.h"
#include "pyenv/env_builder.h"

namespace llmd::pipelines {

// One attempt at one installation. Lives on the worker's stack; not thread-safe.
class InstallRun {
 public:
  InstallRun(const PipelineParts& parts, jobs::JobContext& context);

  Status Run();

 private:
  // The steps, in order.
  Status Resolve();      // what is it, does it fit, what is to be done
  Status Download();     // verified files into model/
  Status Environment();  // .venv
  Status Write();        // scripts, config.yaml, model_info.json
  Status Place();        // rename into models/, record

  // True when the model is installed already (by an attempt that was cut off, or earlier).
  StatusOr<bool> AlreadyInstalled();
  // Renames the staging folder into models/, under another name where a model that was installed
  // meanwhile has taken the planned one.
  Status MoveIntoPlace();
  Status FolderTaken() const;
  // Pins the commit for later attempts, so that a branch that moves does not mix two of them.
  Status RecordIntent();
  Status PruneStaging();
  Status KeepAgentWheel(const std::string& sha256);
  void Say(std::string_view line);

  const PipelineParts& parts_;
  jobs::JobContext& context_;
  InstallRequest request_;
  std::string name_;
  std::string folder_name_;
  std::filesystem::path staging_;
  std::ofstream log_;
  Inspection inspection_;
  Plan plan_;
  std::vector<FileEntry> files_;
  pyenv::EnvResult environment_;
};

// Where an install of the model `name` works: a folder of its own, whatever else is installed at
// the same time.
std::filesystem::path StagingFor(const platform::HomePaths& home, std::string_view name);

// OK unless a model of that name came from another repository or folder: kAlreadyExists,
// "name_taken".
Status CheckNameIsFree(const PipelineParts& parts, const std::string& name,
                       const std::string& repo_id);

// The job's payload; never holds a token.
std::string InstallPayload(const InstallRequest& request);
StatusOr<InstallRequest> ParseInstallPayload(const std::string& payload);
// Whether two requests ask for the same model in the same form.
bool AsksForTheSame(const InstallRequest& a, const InstallRequest& b);

}  // namespace llmd::pipelines
