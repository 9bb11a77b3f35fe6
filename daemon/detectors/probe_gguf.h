// Reads GGUF headers from a growing prefix of the file: keys, chat template, tensor types. Hostile
// input is expected: nothing is allocated from a count that the file claims, only from bytes that
// are there. Arrays are skipped, their lengths kept. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "domain/facts.h"

namespace llmd::detectors {

inline constexpr int64_t kFirstGgufBytes = 1 << 20;
inline constexpr int64_t kMaxGgufBytes = 64 << 20;

enum class GgufRead {
  kWhole,     // everything was read
  kNeedMore,  // `prefix` ends inside the header; what was read so far stands in `facts`
  kBroken,    // facts.error says why
};

// Reads from the start of `prefix`, replacing `facts` (its `file` stays).
GgufRead ReadGgufHeader(std::string_view prefix, GgufFacts& facts);

}  // namespace llmd::detectors
