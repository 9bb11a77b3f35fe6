// Turns a rule's verdict into a profile: fills in its texts, then adds what follows from the files
// alone (weights, parameters, types, context, parts, remote code). Pure.
#pragma once

#include <string>

#include "detectors/derive_facts.h"
#include "detectors/tables.h"
#include "domain/profile.h"
#include "domain/rule.h"

namespace llmd::detectors {

// `rule` matched.
ModelProfile BuildProfile(const Rule& rule, const Derived& derived, const Tables& tables);

}  // namespace llmd::detectors
