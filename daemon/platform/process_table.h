// What the system says about processes: who descends from whom, when one started, which boot this
// is. A process is identified by boot id, pid and start ticks together: pids are used again.
// Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llmd::platform {

struct ProcessInfo {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  char state = '?';         // 'Z' is a zombie
  int64_t start_ticks = 0;  // since boot; on macOS microseconds since 1970
  int64_t resident_bytes = 0;
};

// nullopt when there is no such process.
std::optional<ProcessInfo> FindProcess(pid_t pid);
std::vector<ProcessInfo> ListProcesses();

// Whether this very process is there and not a zombie.
bool IsRunning(pid_t pid, int64_t start_ticks);

// All that descend from `ancestor`, without it, children before their own children.
std::vector<ProcessInfo> DescendantsOf(pid_t ancestor, const std::vector<ProcessInfo>& processes);

// Processes of this user whose environment (as it was at exec) has exactly this "NAME=value"; none
// where the system does not tell.
std::vector<pid_t> ProcessesWithVariable(std::string_view assignment);

// Differs from one boot of the machine to the next.
StatusOr<std::string> BootId();

namespace internal {
// /proc/<pid>/stat; nullopt for what is not of that form.
std::optional<ProcessInfo> ParseProcStat(std::string_view text, int64_t page_bytes);
std::vector<ProcessInfo> ListProcessesBelow(const std::filesystem::path& proc);
// Whether a NUL-separated environment holds the assignment.
bool HasAssignment(std::string_view environ, std::string_view assignment);
}  // namespace internal

}  // namespace llmd::platform
