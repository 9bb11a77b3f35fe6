// Reads safetensors headers: tensor names, element counts by type, bytes. Hostile input is
// expected: nothing is allocated from a number that the file claims. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "domain/facts.h"

namespace llmd::detectors {

inline constexpr int64_t kMaxSafetensorsHeader = 25'000'000;
// Of the thousand most used models, 97 % have a header shorter than this.
inline constexpr int64_t kFirstSafetensorsBytes = 100'000;
inline constexpr size_t kMaxTensorNames = 4'096;

// How long the header (after its first 8 bytes) is. kInvalidArgument when the file is none or the
// claim is beyond the file or our limit.
StatusOr<int64_t> SafetensorsHeaderLength(std::string_view first_bytes, int64_t file_size);

// Adds the header (JSON text without the 8 bytes) of `path` to `facts`. kInvalidArgument when it is
// broken: not JSON, shapes and offsets that disagree, tensors that overlap, leave holes or do not
// end where the file ends.
Status AddSafetensorsHeader(std::string_view path, std::string_view header, int64_t file_size,
                            SafetensorsFacts& facts);

// Bytes of one element ("BF16" -> 2); 0 for what we do not know.
int64_t BytesOfDtype(std::string_view dtype);

}  // namespace llmd::detectors
