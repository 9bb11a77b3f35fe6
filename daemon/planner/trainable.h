// Whether `llmctl train` could fine-tune a model. Pure.
#pragma once

#include "domain/profile.h"

namespace llmd::planner {

// For language models whose weights PEFT can train adapters on; the reason says why not otherwise.
// Asks nothing of this machine.
ModelProfile::Trainable FindTrainable(const ModelProfile& profile);

}  // namespace llmd::planner
