// What a model needs besides its files: packages, special dependencies, scripts. Pure.
#pragma once

#include <string>
#include <vector>

#include "domain/specs.h"
#include "planner/engine_fit.h"

namespace llmd::planner {

struct Needs {
  std::string handler;
  std::vector<std::string> packages;  // PEP 508, each once
  std::vector<std::string> special;   // names, each once
  std::vector<std::string> scripts;
  std::vector<std::string> notes;
  std::vector<std::string> refusals;  // for when no engine serves it
};

// `fit` is the engine that is chosen, or comes nearest; nullptr: only the handlers' packages are
// known.
Needs FindNeeds(const Subject& subject, const EngineFit* fit,
                const std::vector<HandlerSpec>& handlers);

}  // namespace llmd::planner
