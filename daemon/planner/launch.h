// The resolved launch of a model: how start.sh serves it. Pure.
#pragma once

#include <string>
#include <vector>

#include "domain/plan.h"
#include "planner/engine_fit.h"
#include "planner/memory.h"

namespace llmd::planner {

Launch MakeLaunch(const Subject& subject, const EngineFit& fit, const MemoryEstimate& memory,
                  const std::string& name);

// What is run, after the environment's python, to see that the environment can load the model. The
// engine's, with {loader} and {architecture} filled in; an argument whose value is not known, or is
// no Python name, is left out.
std::vector<std::string> SmokeArgv(const EngineSpec& engine, const ModelProfile& profile);

}  // namespace llmd::planner
