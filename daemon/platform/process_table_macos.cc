#include <libproc.h>
#include <sys/proc.h>
#include <sys/sysctl.h>

#include "platform/process_table.h"

namespace llmd::platform {
namespace {

constexpr int64_t kMicros = 1'000'000;

}  // namespace

std::optional<ProcessInfo> FindProcess(pid_t pid) {
  proc_bsdinfo facts{};
  if (::proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &facts, sizeof(facts)) != sizeof(facts)) {
    return std::nullopt;
  }
  ProcessInfo process{.pid = pid,
                      .parent = static_cast<pid_t>(facts.pbi_ppid),
                      .group = static_cast<pid_t>(facts.pbi_pgid),
                      .state = facts.pbi_status == SZOMB ? 'Z' : 'R',
                      .start_ticks = static_cast<int64_t>(facts.pbi_start_tvsec) * kMicros +
                                     static_cast<int64_t>(facts.pbi_start_tvusec)};
  proc_taskinfo task{};
  if (::proc_pidinfo(pid, PROC_PIDTASKINFO, 0, &task, sizeof(task)) == sizeof(task)) {
    process.resident_bytes = static_cast<int64_t>(task.pti_resident_size);
  }
  return process;
}

std::vector<ProcessInfo> ListProcesses() {
  // Room for those that start between the two calls.
  std::vector<pid_t> pids(static_cast<size_t>(::proc_listallpids(nullptr, 0)) + 64);
  const int bytes = static_cast<int>(pids.size() * sizeof(pid_t));
  const int count = ::proc_listallpids(pids.data(), bytes);
  pids.resize(count > 0 ? static_cast<size_t>(count) : 0);
  std::vector<ProcessInfo> processes;
  for (const pid_t pid : pids) {
    if (auto process = FindProcess(pid)) processes.push_back(*process);
  }
  return processes;
}

std::vector<pid_t> ProcessesWithVariable(std::string_view assignment) {
  std::vector<pid_t> found;
  for (const ProcessInfo& process : ListProcesses()) {
    int name[] = {CTL_KERN, KERN_PROCARGS2, process.pid};
    size_t size = 0;
    if (::sysctl(name, 3, nullptr, &size, nullptr, 0) != 0) continue;
    // argc, the program's path, arguments and environment, each ended by NUL.
    std::string text(size, '\0');
    if (::sysctl(name, 3, text.data(), &size, nullptr, 0) != 0) continue;
    text.resize(size);
    if (internal::HasAssignment(text, assignment)) found.push_back(process.pid);
  }
  return found;
}

StatusOr<std::string> BootId() {
  char text[64] = {};
  size_t size = sizeof(text) - 1;
  if (::sysctlbyname("kern.bootsessionuuid", text, &size, nullptr, 0) != 0) {
    return Internal("the system does not tell its boot id");
  }
  return std::string(text);
}

}  // namespace llmd::platform
