// What the control groups (v1 and v2) that this process is in allow it. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace llmd::platform {

struct CgroupFacts {
  std::optional<double> cpus;             // quota / period; none: no limit
  std::optional<int64_t> memory_limit;    // bytes, the smallest on the way up
  std::optional<int64_t> memory_allowed;  // what may still be taken: limit - used + reclaimable
  // Processes killed for want of memory in this group and below; none where it is not told.
  std::optional<int64_t> oom_kills;
};

// `root` stands before /proc and before the mount points; empty in life. No groups: nothing set.
CgroupFacts ReadCgroup(const std::filesystem::path& root = {});

}  // namespace llmd::platform
