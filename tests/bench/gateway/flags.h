// What the load tools share: flags of the form `--name value`, and a clock.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace llmd::bench {

// Monotonic, so that two processes on one machine can compare their times.
inline long NowNs() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000L + time.tv_nsec;
}

// False, with a line on stderr, at a flag that is not listed.
inline bool ParseFlags(int argc, char** argv,
                       const std::vector<std::pair<std::string, std::string*>>& texts,
                       const std::vector<std::pair<std::string, long*>>& numbers) {
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    bool known = false;
    for (const auto& [flag, target] : texts) {
      if (i + 1 < argc && name == "--" + flag) *target = argv[i + 1], known = true;
    }
    for (const auto& [flag, target] : numbers) {
      if (i + 1 < argc && name == "--" + flag) *target = std::atol(argv[i + 1]), known = true;
    }
    if (known) continue;
    std::fprintf(stderr, "unknown flag, or one without a value: %s\n", name.c_str());
    return false;
  }
  return true;
}

}  // namespace llmd::bench
