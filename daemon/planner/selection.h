// Which weights are meant: the profile's own, or the variant that a wish names. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "domain/facts.h"
#include "domain/plan.h"
#include "domain/profile.h"

namespace llmd::planner {

// Weight files that are loaded together.
struct Selection {
  std::string variant;             // its name; empty: the profile's own weights
  std::string format;              // safetensors | pytorch | gguf | ...; empty without weights
  std::string quantization;        // as in the profile
  std::vector<std::string> files;  // sorted
  int64_t bytes = 0;
};

// kInvalidArgument: code "unknown_variant" with the names that there are, "contradicting_wish" for
// a file that is of another variant than the named one.
StatusOr<Selection> SelectWeights(const Facts& facts, const ModelProfile& profile,
                                  const Wish& wish);

// The preferred variant in one of `formats`; without files when there is none.
Selection AlternativeIn(const std::vector<std::string>& formats, const Facts& facts,
                        const ModelProfile& profile);

// The file that an engine is started with: the first of several parts of a GGUF.
std::string MainFile(const Selection& selection);
// The projector that a GGUF with vision is loaded with; empty without one.
std::string ProjectorFile(const Selection& selection);

}  // namespace llmd::planner
