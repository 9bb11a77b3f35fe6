// What the conditions of spec files are asked about, and the asking. Pure.
#pragma once

#include <string_view>

#include "domain/facts.h"
#include "domain/machine.h"
#include "domain/profile.h"
#include "domain/specs.h"

namespace llmd::planner {

struct Subject {
  const ModelProfile& profile;
  const Facts& facts;
  const MachineFacts& machine;
  std::string_view engine = {};  // the engine that was chosen or is looked at
};

bool Holds(const SpecCondition& condition, const Subject& subject);
// One of them holds, or there are none.
bool Holds(const SpecConditions& conditions, const Subject& subject);

// cuda | metal | none: what a package or an engine of this machine can compute on beside the CPU.
std::string_view GpuOf(const MachineFacts& machine);

}  // namespace llmd::planner
