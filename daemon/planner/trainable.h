// Whether `llmctl train` could fine-tune a model. Pure.
#pragma once

#include "domain/facts.h"
#include "domain/profile.h"
#include "planner/selection.h"

namespace llmd::planner {

// For language models whose weights PEFT can train adapters on; the reason says why not otherwise.
// Asks nothing of this machine, nor whether an engine serves the model.
ModelProfile::Trainable FindTrainable(const ModelProfile& profile, const Facts& facts,
                                      const Selection& weights);

}  // namespace llmd::planner
