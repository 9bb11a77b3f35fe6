// The planner: profile x machine x wish -> plan. Pure: no I/O, no clock, same answer every time.
#pragma once

#include <vector>

#include "base/status.h"
#include "domain/facts.h"
#include "domain/machine.h"
#include "domain/plan.h"
#include "domain/profile.h"
#include "domain/specs.h"

namespace llmd::planner {

struct PlannerInput {
  const Facts& facts;
  const MachineFacts& machine;
  const Wish& wish;
  const std::vector<EngineSpec>& engines;    // highest priority first
  const std::vector<HandlerSpec>& handlers;  // first match wins
};

// kInvalidArgument for a wish that contradicts itself: a variant, and a file of another one.
Status CheckContradiction(const PlannerInput& input, const ModelProfile& profile);

// Completes `profile` (handler, requirements, backends, memory, download, trainable, supported,
// reasons) as `check` shows it, for the variant that was asked for. Never fails: what is impossible
// becomes reasons.
void CompleteProfile(const PlannerInput& input, ModelProfile& profile);

// 0 installable here, 3 recognised but impossible here, 4 not a model we can serve.
int CheckExitCode(const ModelProfile& profile);

// What install will do. `name` is the model's name, `folder_name` its folder. kFailedPrecondition
// (code "not_installable", "not_a_model" or "does_not_fit") with the profile's reasons when it is
// not installable here; kInvalidArgument for a wish that names an unknown engine or variant (the
// message lists them).
StatusOr<Plan> MakePlan(const PlannerInput& input, const ModelProfile& profile,
                        const std::string& name, const std::string& folder_name);

}  // namespace llmd::planner
