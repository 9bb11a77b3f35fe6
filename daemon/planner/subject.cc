#include "planner/subject.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "domain/glob.h"

namespace llmd::planner {

std::string_view GpuOf(const MachineFacts& machine) {
  if (machine.HasCuda()) return "cuda";
  return machine.os == "macos" && machine.unified_memory ? "metal" : "none";
}

namespace {

bool Matches(const std::vector<std::string>& patterns, std::string_view value) {
  if (patterns.empty()) return true;
  return std::any_of(patterns.begin(), patterns.end(),
                     [value](const std::string& pattern) { return MatchesGlob(pattern, value); });
}

bool MatchesKnown(const std::vector<std::string>& patterns,
                  const std::optional<std::string>& value) {
  return patterns.empty() || (value && Matches(patterns, *value));
}

template <typename List, typename TextOf>
bool AnyMatches(const std::vector<std::string>& patterns, const List& values, TextOf text_of) {
  if (patterns.empty()) return true;
  return std::any_of(values.begin(), values.end(),
                     [&](const auto& value) { return Matches(patterns, text_of(value)); });
}

bool HasFile(const std::vector<std::string>& patterns, const FileInventory& inventory) {
  for (const std::string& pattern : patterns) {
    if (!IsGlob(pattern)) {
      if (inventory.Find(pattern) != nullptr) return true;
      continue;
    }
    for (const FileEntry& file : inventory.files) {
      if (MatchesPathGlob(pattern, file.path)) return true;
    }
  }
  return false;
}

template <typename Map>
bool HasKey(const std::vector<std::string>& patterns, const Map& map) {
  return std::any_of(map.begin(), map.end(),
                     [&](const auto& entry) { return Matches(patterns, entry.first); });
}

bool HasGgufKey(const std::vector<std::string>& patterns, const std::vector<GgufFacts>& ggufs) {
  return std::any_of(ggufs.begin(), ggufs.end(), [&](const GgufFacts& gguf) {
    return HasKey(patterns, gguf.strings) || HasKey(patterns, gguf.integers) ||
           HasKey(patterns, gguf.floats) || HasKey(patterns, gguf.array_sizes);
  });
}

// "8.9" -> 8.9; what cannot be read is 0.
double Capability(const GpuFacts& gpu) {
  return std::strtod(gpu.compute_capability.c_str(), nullptr);
}

bool EveryGpuHas(double capability, const MachineFacts& machine) {
  if (capability <= 0) return true;
  return machine.HasCuda() &&
         std::all_of(machine.gpus.begin(), machine.gpus.end(), [&](const GpuFacts& gpu) {
           return gpu.vendor != "nvidia" || Capability(gpu) >= capability;
         });
}

bool MachineHolds(const SpecCondition& condition, const MachineFacts& machine) {
  return Matches(condition.os, machine.os) && Matches(condition.gpu, GpuOf(machine)) &&
         EveryGpuHas(condition.compute_capability, machine);
}

bool FilesHold(const SpecCondition& condition, const Facts& facts) {
  const auto absent = [](const std::vector<std::string>& patterns, auto has) {
    return patterns.empty() || !has();
  };
  return (condition.files.empty() || HasFile(condition.files, facts.inventory)) &&
         absent(condition.no_files, [&] { return HasFile(condition.no_files, facts.inventory); }) &&
         (condition.gguf_keys.empty() || HasGgufKey(condition.gguf_keys, facts.ggufs)) &&
         absent(condition.no_gguf_keys,
                [&] { return HasGgufKey(condition.no_gguf_keys, facts.ggufs); });
}

}  // namespace

bool Holds(const SpecCondition& condition, const Subject& subject) {
  const ModelProfile& profile = subject.profile;
  using Component = ModelProfile::Component;
  return MachineHolds(condition, subject.machine) && Matches(condition.engines, subject.engine) &&
         Matches(condition.detectors, profile.detector) && Matches(condition.kinds, profile.kind) &&
         MatchesKnown(condition.architectures, profile.architecture) &&
         MatchesKnown(condition.model_types, profile.model_type) &&
         MatchesKnown(condition.loaders, profile.loader) &&
         Matches(condition.quantizations, profile.quantization) &&
         Matches(condition.repos, profile.repo_id) &&
         (!condition.remote_code || *condition.remote_code == profile.requirements.remote_code) &&
         AnyMatches(condition.capabilities, profile.capabilities,
                    [](const std::string& name) -> std::string_view { return name; }) &&
         AnyMatches(condition.components, profile.components,
                    [](const Component& part) -> std::string_view { return part.class_name; }) &&
         FilesHold(condition, subject.facts);
}

bool Holds(const SpecConditions& conditions, const Subject& subject) {
  return conditions.empty() ||
         std::any_of(conditions.begin(), conditions.end(),
                     [&](const SpecCondition& condition) { return Holds(condition, subject); });
}

}  // namespace llmd::planner
