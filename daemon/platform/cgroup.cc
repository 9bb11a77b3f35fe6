#include "platform/cgroup.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"

namespace llmd::platform {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMaxFile = 1u << 20;
// v1 says "no limit" with the largest multiple of the page size.
constexpr int64_t kNoLimit = int64_t{1} << 60;

std::string Text(const fs::path& file) {
  const StatusOr<std::string> text = ReadFile(file, kMaxFile);
  return text.ok() ? *text : "";
}

std::optional<int64_t> ToNumber(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

std::optional<int64_t> Number(const fs::path& file) { return ToNumber(Text(file)); }

// The value of "name value" lines.
std::optional<int64_t> Field(const fs::path& file, std::string_view name) {
  std::istringstream lines(Text(file));
  std::string key;
  std::string value;
  while (lines >> key >> value) {
    if (key == name) return ToNumber(value);
  }
  return std::nullopt;
}

bool HasWord(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (list.substr(0, comma) == word) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

// The group of one hierarchy: its folder and those above it, up to the mount point.
using Ancestry = std::vector<fs::path>;

struct Mount {
  fs::path top;      // the group that is mounted
  fs::path point;    // where
  std::string type;  // cgroup | cgroup2
  std::string options;
};

std::vector<Mount> Mounts(const fs::path& root) {
  std::vector<Mount> mounts;
  std::istringstream lines(Text(root / "proc/self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    // "id parent major:minor root point options [tags] - type source super-options"
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream head(line.substr(0, dash));
    std::istringstream tail(line.substr(dash + 3));
    std::string skip;
    std::string top;
    std::string point;
    Mount mount;
    head >> skip >> skip >> skip >> top >> point;
    tail >> mount.type >> skip >> mount.options;
    mount.top = top;
    mount.point = root.empty() ? fs::path(point) : root / fs::path(point).relative_path();
    if (mount.type == "cgroup" || mount.type == "cgroup2") mounts.push_back(mount);
  }
  return mounts;
}

// controller ("" for v2) -> path of our group
std::map<std::string, std::string> Groups(const fs::path& root) {
  std::map<std::string, std::string> groups;
  std::istringstream lines(Text(root / "proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::istringstream names(line.substr(first + 1, second - first - 1));
    const std::string path = line.substr(second + 1);
    std::string name;
    if (first + 1 == second) groups[""] = path;
    while (std::getline(names, name, ',')) groups[name] = path;
  }
  return groups;
}

Ancestry Climb(const Mount& mount, const fs::path& group) {
  fs::path below = group.lexically_relative(mount.top);
  // In a container the path may be that of the host, which is not mounted here.
  if (below.empty() || *below.begin() == "..") below = ".";
  Ancestry ancestry;
  for (fs::path at = below.lexically_normal();;) {
    std::error_code error;
    const fs::path folder = (mount.point / at).lexically_normal();
    if (fs::is_directory(folder, error)) ancestry.push_back(folder);
    if (at == ".") break;
    at = at.has_parent_path() ? at.parent_path() : fs::path(".");
  }
  return ancestry;
}

Ancestry Find(const fs::path& root, std::string_view type, const std::string& controller) {
  const std::map<std::string, std::string> groups = Groups(root);
  const auto group = groups.find(type == "cgroup2" ? "" : controller);
  if (group == groups.end()) return {};
  for (const Mount& mount : Mounts(root)) {
    if (mount.type == type && (type == "cgroup2" || HasWord(mount.options, controller))) {
      return Climb(mount, group->second);
    }
  }
  return {};
}

void Lower(std::optional<double>& value, double other) {
  value = value ? std::min(*value, other) : other;
}
void Lower(std::optional<int64_t>& value, int64_t other) {
  value = value ? std::min(*value, other) : other;
}

void AddCpu(const Ancestry& v2, const Ancestry& v1, CgroupFacts& facts) {
  for (const fs::path& folder : v2) {
    std::istringstream text(Text(folder / "cpu.max"));
    double quota = 0;
    double period = 0;
    if (text >> quota >> period && period > 0) Lower(facts.cpus, quota / period);
  }
  for (const fs::path& folder : v1) {
    const auto quota = Number(folder / "cpu.cfs_quota_us");
    const auto period = Number(folder / "cpu.cfs_period_us");
    if (quota && period && *quota > 0 && *period > 0) {
      Lower(facts.cpus, static_cast<double>(*quota) / static_cast<double>(*period));
    }
  }
}

struct MemoryNames {
  std::vector<const char*> limits;
  const char* used;
  const char* reclaimable;  // in memory.stat
};

void AddMemory(const Ancestry& ancestry, const MemoryNames& names, CgroupFacts& facts) {
  for (const fs::path& folder : ancestry) {
    for (const char* name : names.limits) {
      const auto limit = Number(folder / name);
      if (!limit || *limit <= 0 || *limit >= kNoLimit) continue;
      Lower(facts.memory_limit, *limit);
      const int64_t used = Number(folder / names.used).value_or(0);
      const int64_t cache = Field(folder / "memory.stat", names.reclaimable).value_or(0);
      const int64_t taken = std::max<int64_t>(0, used - cache);
      Lower(facts.memory_allowed, std::max<int64_t>(0, *limit - taken));
    }
  }
}

}  // namespace

CgroupFacts ReadCgroup(const fs::path& root_given) {
  const fs::path root = root_given.empty() ? fs::path("/") : root_given;
  CgroupFacts facts;
  const Ancestry unified = Find(root, "cgroup2", "");
  const Ancestry memory = Find(root, "cgroup", "memory");
  AddCpu(unified, Find(root, "cgroup", "cpu"), facts);
  AddMemory(unified, {{"memory.max", "memory.high"}, "memory.current", "inactive_file"}, facts);
  AddMemory(memory, {{"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file"},
            facts);
  if (!unified.empty()) facts.oom_kills = Field(unified.front() / "memory.events", "oom_kill");
  if (!facts.oom_kills && !memory.empty()) {
    facts.oom_kills = Field(memory.front() / "memory.oom_control", "oom_kill");
  }
  return facts;
}

}  // namespace llmd::platform
