// Content for test files.
#pragma once

#include <cstddef>
#include <string>

namespace llmd::testing {

// Bytes that look like weights: the same for the same seed.
std::string RandomBytes(size_t size, unsigned seed);

}  // namespace llmd::testing
