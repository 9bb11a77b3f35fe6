#include "platform/machine_probe.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cmath>

#include "platform/machine_probe_parts.h"
#include "platform/process_table.h"

namespace llmd::platform {

void ApplyCgroup(const CgroupFacts& cgroup, MachineFacts& facts) {
  if (cgroup.cpus) {
    const int quota = static_cast<int>(std::ceil(std::min(*cgroup.cpus, 1e6)));
    facts.cpus = std::clamp(quota, 1, facts.cpus);
  }
  if (cgroup.memory_limit) facts.memory_bytes = std::min(facts.memory_bytes, *cgroup.memory_limit);
  if (cgroup.memory_allowed) {
    facts.memory_available_bytes = std::min(facts.memory_available_bytes, *cgroup.memory_allowed);
  }
  facts.memory_available_bytes = std::min(facts.memory_available_bytes, facts.memory_bytes);
}

void ApplyGpus(const std::vector<GpuFacts>& gpus, MachineFacts& facts) {
  facts.gpus = gpus;
  for (GpuFacts& gpu : facts.gpus) {
    if (gpu.memory_bytes > 0) continue;
    gpu.memory_bytes = facts.memory_bytes;
    facts.unified_memory = true;
  }
}

int64_t FreeDiskBytes(std::filesystem::path folder) {
  struct statvfs facts {};
  while (::statvfs(folder.c_str(), &facts) != 0) {
    // A home that has not been made yet lies where its nearest folder is.
    if (!folder.has_relative_path()) return 0;
    folder = folder.parent_path();
  }
  return static_cast<int64_t>(facts.f_bavail) * static_cast<int64_t>(facts.f_frsize);
}

int64_t TreeResidentBytes(pid_t pid) {
  const std::vector<ProcessInfo> processes = ListProcesses();
  int64_t bytes = 0;
  for (const ProcessInfo& process : DescendantsOf(pid, processes)) bytes += process.resident_bytes;
  for (const ProcessInfo& process : processes) {
    if (process.pid == pid) return bytes + process.resident_bytes;
  }
  return 0;
}

}  // namespace llmd::platform
