// UTF-8, read strictly: overlong forms, surrogates and values beyond Unicode are no characters.
// Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llmd {

// One character; `length` 0 where the bytes are not UTF-8.
struct CodePoint {
  uint32_t value = 0;
  size_t length = 0;
};

// The character that begins at `at`, which must be inside `text`.
CodePoint DecodeUtf8(std::string_view text, size_t at);

bool IsValidUtf8(std::string_view text);

}  // namespace llmd
