// FakeMachineProbe: a machine as the test describes it. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "base/mutex.h"
#include "platform/machine_probe.h"

namespace llmd::testing {

// 8 CPUs, 32 GiB (24 of them free), no GPU, 500 GiB of disk.
inline MachineFacts PlainMachine() {
  return {.os = "linux",
          .arch = "x86_64",
          .cpus = 8,
          .memory_bytes = int64_t{32} << 30,
          .memory_available_bytes = int64_t{24} << 30,
          .disk_free_bytes = int64_t{500} << 30};
}

class FakeMachineProbe final : public platform::MachineProbe {
 public:
  explicit FakeMachineProbe(MachineFacts facts = PlainMachine()) : facts_(std::move(facts)) {}

  void Set(MachineFacts facts) {
    MutexLock lock(mutex_);
    facts_ = std::move(facts);
  }
  void SetResidentBytes(int64_t pid, int64_t bytes) {
    MutexLock lock(mutex_);
    resident_[pid] = bytes;
  }

  MachineFacts Measure(const std::filesystem::path&) override {
    MutexLock lock(mutex_);
    return facts_;
  }
  int64_t ResidentBytes(int64_t pid) override {
    MutexLock lock(mutex_);
    const auto at = resident_.find(pid);
    return at == resident_.end() ? 0 : at->second;
  }

 private:
  Mutex mutex_;
  MachineFacts facts_ LLMD_GUARDED_BY(mutex_);
  std::map<int64_t, int64_t> resident_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::testing
