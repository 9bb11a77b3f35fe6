// Pipelines: the long operations, each a list of named, idempotent steps over the parts below.
// Check answers at once; Install and Remove are durable jobs. Thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "detectors/detective.h"
#include "domain/caller.h"
#include "domain/machine.h"
#include "domain/plan.h"
#include "domain/profile.h"
#include "domain/specs.h"
#include "domain/states.h"
#include "hub/repository.h"
#include "jobs/job_pool.h"
#include "platform/machine_probe.h"
#include "platform/paths.h"
#include "pyenv/env_builder.h"
#include "serving/model_router.h"
#include "serving/model_store.h"

namespace llmd::pipelines {

// What a repository is asked for as: `org/name`, or an absolute path of a local folder.
struct SourceRequest {
  std::string repo_id;
  std::string revision;  // empty: main
  HubCredentials credentials;
  bool offline = false;  // no request: only what was read before
};

struct CheckRequest {
  SourceRequest source;
  Wish wish;
};

struct CheckResult {
  ModelProfile profile;
  int exit_code = 4;  // 0 installable here, 3 impossible here, 4 not a model we can serve
};

struct InstallRequest {
  SourceRequest source;
  std::string name;  // empty: the repository id; for a folder `local/<folder name>`
  Wish wish;
  std::string idempotency_key;
};

struct RemoveRequest {
  std::string model;
  bool force = false;  // stops a running server first
};

class Pipelines {
 public:
  virtual ~Pipelines() = default;

  // Errors are those of hub::Hub::Open and of reading the repository; a repository that is no model
  // is an answer, not an error.
  virtual StatusOr<CheckResult> Check(const CheckRequest& request, const CancelToken& cancel) = 0;

  // Returns the job, durable already. Installing what is installed is a job that finds everything
  // done. kInvalidArgument for a bad id or name, kAlreadyExists (code "name_taken") when another
  // repository has the name.
  virtual StatusOr<JobRecord> Install(const InstallRequest& request) = 0;

  // kNotFound (code "model_not_found"), kFailedPrecondition (code "model_running") without force.
  virtual StatusOr<JobRecord> Remove(const RemoveRequest& request) = 0;

  // The runners that the composition root gives to JobPool::Start.
  virtual std::map<std::string, jobs::JobRunner> Runners() = 0;
};

// What the pipelines work with. All references must outlive them.
struct PipelineParts {
  const platform::HomePaths& home;
  const std::filesystem::path& data_dir;
  std::filesystem::path agent_wheel;
  hub::Hub& hub;
  const detectors::Detective& detective;
  const std::vector<EngineSpec>& engines;
  const std::vector<HandlerSpec>& handlers;
  platform::MachineProbe& machine;
  pyenv::EnvBuilder& environments;
  serving::ModelStore& models;
  serving::ModelRouter& router;
  jobs::JobPool& jobs;
  const Clock& clock;
  Metrics& metrics;
};

std::unique_ptr<Pipelines> MakePipelines(const PipelineParts& parts);

}  // namespace llmd::pipelines
