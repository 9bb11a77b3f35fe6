// Measures MachineFacts. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "domain/machine.h"

namespace llmd::platform {

class MachineProbe {
 public:
  virtual ~MachineProbe() = default;
  // CPUs (affinity, cgroup quota), memory (cgroup limit), GPUs (NVIDIA through its driver's files
  // and nvidia-smi when there; Apple's unified memory), free disk below `home`.
  virtual MachineFacts Measure(const std::filesystem::path& home) = 0;
  // Resident memory of a process and its descendants, in bytes; 0 when it is gone.
  virtual int64_t ResidentBytes(int64_t pid) = 0;
};

std::unique_ptr<MachineProbe> MakeMachineProbe();

}  // namespace llmd::platform
