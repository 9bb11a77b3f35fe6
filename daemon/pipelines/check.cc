#include "pipelines/check.h"

#include <utility>

#include "planner/planner.h"

namespace llmd::pipelines {

StatusOr<Inspection> Inspect(const PipelineParts& parts, const SourceRequest& source,
                             const Wish& wish, const CancelToken& cancel) {
  Inspection result;
  LLMD_ASSIGN_OR_RETURN(result.repository, parts.hub.Open({.repo_id = source.repo_id,
                                                           .revision = source.revision,
                                                           .credentials = source.credentials,
                                                           .offline = source.offline},
                                                          cancel));
  // First of all: what cannot be read must not pass for a repository that is no model.
  LLMD_RETURN_IF_ERROR(result.repository->CheckAccess(cancel));
  LLMD_ASSIGN_OR_RETURN(result.facts, detectors::GatherFacts(*result.repository, cancel,
                                                             parts.detective.gather_options()));
  result.machine = parts.machine.Measure(parts.home.home);
  result.profile = parts.detective.Inspect(result.facts);
  const planner::PlannerInput input{.facts = result.facts,
                                    .machine = result.machine,
                                    .wish = wish,
                                    .engines = parts.engines,
                                    .handlers = parts.handlers};
  LLMD_RETURN_IF_ERROR(planner::CheckContradiction(input, result.profile));
  planner::CompleteProfile(input, result.profile);
  return result;
}

}  // namespace llmd::pipelines
