// The plain statement when nothing matched: what was looked for, and what was found instead. Pure.
#pragma once

#include <string>

#include "detectors/derive_facts.h"

namespace llmd::detectors {

std::string LookedFor(const Derived& derived);

}  // namespace llmd::detectors
