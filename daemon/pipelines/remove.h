// Remove, as a durable job: stops the server, takes the folder out of models/ by one rename,
// forgets the model, deletes the files. Safe to repeat.
#pragma once

#include <string>

#include "base/status.h"
#include "jobs/job_pool.h"
#include "pipelines/pipelines.h"

namespace llmd::pipelines {

Status RunRemove(const PipelineParts& parts, jobs::JobContext& context);

// kFailedPrecondition, code "model_running".
Status CheckNotRunning(const ServerRecord& server);

std::string RemovePayload(const RemoveRequest& request);

}  // namespace llmd::pipelines
