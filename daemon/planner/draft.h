// Everything that follows from a profile, a machine and a wish, before it is told as a completed
// profile or as a plan. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "planner/engine_fit.h"
#include "planner/file_choice.h"
#include "planner/memory.h"
#include "planner/planner.h"
#include "planner/requirements.h"

namespace llmd::planner {

struct Draft {
  Status wish;  // kInvalidArgument: it names what is not there
  Selection selection;
  std::vector<EngineFit> fits;
  const EngineFit* chosen = nullptr;  // into `fits`
  std::optional<MemoryEstimate> memory;
  FileChoice files;
  Needs needs;
  // Why it cannot be installed here, by what --force can overrule.
  std::vector<std::string> reasons;
  std::string memory_reason;

  Draft() = default;
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  Draft(Draft&&) = default;
  Draft& operator=(Draft&&) = default;
};

Draft MakeDraft(const PlannerInput& input, const ModelProfile& profile);

}  // namespace llmd::planner
