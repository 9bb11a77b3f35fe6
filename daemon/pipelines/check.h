// Check: what a repository is, what it needs, whether it fits. Shared by `check` and `install`.
#pragma once

#include <memory>

#include "base/cancel.h"
#include "base/status.h"
#include "domain/facts.h"
#include "domain/machine.h"
#include "hub/repository.h"
#include "pipelines/pipelines.h"

namespace llmd::pipelines {

// A repository that has been looked at.
struct Inspection {
  std::unique_ptr<hub::Repository> repository;
  Facts facts;
  MachineFacts machine;
  ModelProfile profile;  // complete
};

StatusOr<Inspection> Inspect(const PipelineParts& parts, const SourceRequest& source,
                             const Wish& wish, const CancelToken& cancel);

}  // namespace llmd::pipelines
