#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <charconv>

#include "base/file.h"
#include "platform/process_table.h"

namespace llmd::platform {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMaxStat = 64u << 10;
constexpr size_t kMaxEnviron = 4u << 20;

template <typename T>
std::optional<T> ToNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t start = text.find_first_not_of(" \n");
    if (start == std::string_view::npos) return words;
    text.remove_prefix(start);
    const size_t end = text.find_first_of(" \n");
    words.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return words;
    text.remove_prefix(end);
  }
}

std::vector<pid_t> PidsBelow(const fs::path& proc) {
  std::vector<pid_t> pids;
  std::error_code error;
  for (fs::directory_iterator at(proc, error), end; !error && at != end; at.increment(error)) {
    const auto pid = ToNumber<pid_t>(at->path().filename().native());
    if (pid && *pid > 0) pids.push_back(*pid);
  }
  return pids;
}

std::optional<ProcessInfo> ReadStat(const fs::path& proc, pid_t pid) {
  const StatusOr<std::string> text = ReadFile(proc / std::to_string(pid) / "stat", kMaxStat);
  if (!text.ok()) return std::nullopt;
  return internal::ParseProcStat(*text, ::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::optional<ProcessInfo> internal::ParseProcStat(std::string_view text, int64_t page_bytes) {
  // "pid (name) state ppid pgrp ...": the name may hold spaces, parentheses and line breaks.
  const size_t open = text.find(" (");
  const size_t close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  const auto pid = ToNumber<pid_t>(text.substr(0, open));
  const std::vector<std::string_view> words = Words(text.substr(close + 2));
  // Fields as proc(5) counts them, from 3: state 3, ppid 4, pgrp 5, starttime 22, rss 24.
  if (!pid || words.size() < 22 || words[0].size() != 1) return std::nullopt;
  const auto parent = ToNumber<pid_t>(words[1]);
  const auto group = ToNumber<pid_t>(words[2]);
  const auto start = ToNumber<int64_t>(words[19]);
  const auto pages = ToNumber<int64_t>(words[21]);
  if (!parent || !group || !start || !pages) return std::nullopt;
  return ProcessInfo{.pid = *pid,
                     .parent = *parent,
                     .group = *group,
                     .state = words[0][0],
                     .start_ticks = *start,
                     .resident_bytes = *pages * page_bytes};
}

std::vector<ProcessInfo> internal::ListProcessesBelow(const fs::path& proc) {
  std::vector<ProcessInfo> processes;
  for (const pid_t pid : PidsBelow(proc)) {
    if (auto process = ReadStat(proc, pid)) processes.push_back(*process);
  }
  return processes;
}

std::optional<ProcessInfo> FindProcess(pid_t pid) { return ReadStat("/proc", pid); }

std::vector<ProcessInfo> ListProcesses() { return internal::ListProcessesBelow("/proc"); }

std::vector<pid_t> ProcessesWithVariable(std::string_view assignment) {
  std::vector<pid_t> found;
  for (const pid_t pid : PidsBelow("/proc")) {
    const fs::path folder = fs::path("/proc") / std::to_string(pid);
    struct stat facts {};
    if (::stat(folder.c_str(), &facts) != 0 || facts.st_uid != ::geteuid()) continue;
    const StatusOr<std::string> environ = ReadFile(folder / "environ", kMaxEnviron);
    if (environ.ok() && internal::HasAssignment(*environ, assignment)) found.push_back(pid);
  }
  return found;
}

StatusOr<std::string> BootId() {
  LLMD_ASSIGN_OR_RETURN(std::string text, ReadFile("/proc/sys/kernel/random/boot_id", 4096));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace llmd::platform
