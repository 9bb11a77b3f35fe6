#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  llmd::testing::FuzzConfig({reinterpret_cast<const char*>(data), size});
  return 0;
}
