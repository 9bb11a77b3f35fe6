// MachineFacts: what this machine has. platform/ measures it, planner/ and scheduler/ decide by it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmd {

struct GpuFacts {
  std::string name;
  std::string vendor;  // nvidia | amd | apple | intel
  int64_t memory_bytes = 0;
  std::string compute_capability;  // "8.9" on NVIDIA, else empty
};

struct MachineFacts {
  std::string os;    // linux | macos
  std::string arch;  // x86_64 | aarch64
  int cpus = 1;      // usable by this process (affinity and cgroup quota count)
  // What may be used: the smaller of RAM and the cgroup's limit. Bytes.
  int64_t memory_bytes = 0;
  int64_t memory_available_bytes = 0;
  std::vector<GpuFacts> gpus;
  bool unified_memory = false;  // Apple silicon
  int64_t disk_free_bytes = 0;  // on the file system of LLMD_HOME
  std::string cuda_driver;      // "13.2", empty without one

  bool HasCuda() const {
    for (const GpuFacts& gpu : gpus) {
      if (gpu.vendor == "nvidia") return true;
    }
    return false;
  }
};

}  // namespace llmd
