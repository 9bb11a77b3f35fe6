// What the machine probes of the systems share. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "domain/machine.h"
#include "platform/cgroup.h"

namespace llmd::platform {

// MemTotal and MemAvailable of /proc/meminfo, in bytes; 0 for what is not there.
struct MemoryFacts {
  int64_t total = 0;
  int64_t available = 0;
};
MemoryFacts ParseMeminfo(std::string_view text);

// Lowers CPUs and memory to what the control groups allow.
void ApplyCgroup(const CgroupFacts& cgroup, MachineFacts& facts);

// Takes the GPUs over; one without memory of its own uses the machine's.
void ApplyGpus(const std::vector<GpuFacts>& gpus, MachineFacts& facts);

int64_t FreeDiskBytes(std::filesystem::path folder);

// Resident memory of the process and its descendants; 0 when it is gone.
int64_t TreeResidentBytes(pid_t pid);

}  // namespace llmd::platform
