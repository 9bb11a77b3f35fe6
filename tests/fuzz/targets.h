// What is fuzzed: each takes any bytes, and must come back without a fault. The same functions are
// fed the seeds as a plain unit test (replay_test.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llmd::testing {

void FuzzGgufHeader(std::string_view bytes);
// 8 bytes and JSON, as a file begins.
void FuzzSafetensorsHeader(std::string_view bytes);
// A rule in YAML, a NUL, a config.json to try it on.
void FuzzRule(std::string_view bytes);
// A config.json, through every probe and our own rules.
void FuzzConfig(std::string_view bytes);

}  // namespace llmd::testing
