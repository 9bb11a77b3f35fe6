// Watches a job to its end, with progress on stderr.
#pragma once

#include <llmd/v1/jobs.pb.h>

#include "base/status.h"
#include "llmctl/session.h"

namespace llmd::client {

// Returns the job when it has succeeded; when it failed, its error as kAborted, with code
// "job_failed" when it has none of its own. Ctrl-C asks once whether to cancel the job or to detach
// from it (not on a terminal: detaches); either ends in kCancelled. A daemon that goes away is
// waited for: the watch goes on after the last event seen.
StatusOr<v1::Job> WatchJob(Session& session, const v1::Job& job);

}  // namespace llmd::client
