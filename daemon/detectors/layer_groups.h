// Putting together what the layers of a model keep. Pure; no product overflows.
#pragma once

#include <cstdint>
#include <string_view>

#include "domain/facts.h"
#include "domain/json_path.h"

namespace llmd::detectors {

inline constexpr int64_t kMaxLayers = 1 << 16;

// At most kMaxJsonSize.
inline int64_t Product(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) || result > kMaxJsonSize ? kMaxJsonSize : result;
}

// Adds `layers` of a group, joining it with an equal one.
void AddGroup(ArchitectureFacts& facts, LayerGroup group);

// How many of `layers` are of this kind when `pattern` ("SSSSSF") repeats itself over them.
int64_t CountKind(std::string_view pattern, char kind, int64_t layers);

}  // namespace llmd::detectors
