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

// Reads from the start of `prefix` of a file of `file_size` bytes, replacing `facts` (its `file`
// stays). Broken is also a header whose tensors do not fit into the file, or that has none although
// no other split can have them.
GgufRead ReadGgufHeader(std::string_view prefix, int64_t file_size, GgufFacts& facts);

}  // namespace llmd::detectors
