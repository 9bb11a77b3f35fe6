#include "hub/random_bytes.h"

#include <algorithm>
#include <cstdint>
#include <random>

namespace llmd::testing {

std::string RandomBytes(size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
    const uint64_t word = random();
    const size_t count = std::min(sizeof(word), size - i);
    bytes.replace(i, count, reinterpret_cast<const char*>(&word), count);
  }
  return bytes;
}

}  // namespace llmd::testing
