#include "platform/process_table.h"

#include <map>

namespace llmd::platform {

bool IsRunning(pid_t pid, int64_t start_ticks) {
  const std::optional<ProcessInfo> process = pid > 0 ? FindProcess(pid) : std::nullopt;
  return process && process->start_ticks == start_ticks && process->state != 'Z';
}

std::vector<ProcessInfo> DescendantsOf(pid_t ancestor, const std::vector<ProcessInfo>& processes) {
  std::multimap<pid_t, const ProcessInfo*> children;
  for (const ProcessInfo& process : processes) {
    if (process.pid != process.parent) children.emplace(process.parent, &process);
  }
  std::vector<ProcessInfo> found;
  std::vector<pid_t> waiting{ancestor};
  // The list is no snapshot: a pid used again while it was read could close a circle.
  while (!waiting.empty() && found.size() <= processes.size()) {
    const pid_t parent = waiting.back();
    waiting.pop_back();
    for (auto [at, end] = children.equal_range(parent); at != end; ++at) {
      found.push_back(*at->second);
      waiting.push_back(at->second->pid);
    }
    children.erase(parent);
  }
  return found;
}

namespace internal {

bool HasAssignment(std::string_view environ, std::string_view assignment) {
  while (!environ.empty()) {
    const size_t end = environ.find('\0');
    if (environ.substr(0, end) == assignment) return true;
    if (end == std::string_view::npos) return false;
    environ.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace internal
}  // namespace llmd::platform
