// Machines to plan for: plain MachineFacts, made up.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "domain/machine.h"

namespace llmd::testing {

inline constexpr int64_t kGiB = int64_t{1} << 30;

inline MachineFacts LinuxMachine(int64_t memory_gib = 24) {
  return {.os = "linux",
          .arch = "x86_64",
          .cpus = 4,
          .memory_bytes = memory_gib * kGiB,
          .memory_available_bytes = memory_gib * kGiB,
          .disk_free_bytes = 500 * kGiB};
}

inline GpuFacts NvidiaGpu(int64_t memory_gib, std::string capability = "8.9") {
  return {.name = "GPU " + std::to_string(memory_gib),
          .vendor = "nvidia",
          .memory_bytes = memory_gib * kGiB,
          .compute_capability = std::move(capability)};
}

inline MachineFacts GpuMachine(int count, int64_t memory_gib, int64_t main_memory_gib = 64) {
  MachineFacts machine = LinuxMachine(main_memory_gib);
  for (int i = 0; i < count; ++i) machine.gpus.push_back(NvidiaGpu(memory_gib));
  machine.cuda_driver = "13.2";
  return machine;
}

inline MachineFacts MacMachine(int64_t memory_gib = 32) {
  MachineFacts machine = LinuxMachine(memory_gib);
  machine.os = "macos";
  machine.arch = "aarch64";
  machine.unified_memory = true;
  machine.gpus.push_back({.name = "Apple GPU", .vendor = "apple"});
  return machine;
}

}  // namespace llmd::testing
