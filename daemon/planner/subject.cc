#include "planner/subject.h"

#include <algorithm>
#include <string>
#include <vector>

#include "domain/glob.h"

namespace llmd::planner {
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

bool AnyFile(const std::vector<std::string>& patterns, const FileInventory& inventory) {
  if (patterns.empty()) return true;
  for (const FileEntry& file : inventory.files) {
    for (const std::string& pattern : patterns) {
      if (MatchesPathGlob(pattern, file.path)) return true;
    }
  }
  return false;
}

}  // namespace

std::string_view GpuOf(const MachineFacts& machine) {
  if (machine.HasCuda()) return "cuda";
  return machine.os == "macos" && machine.unified_memory ? "metal" : "none";
}

bool Holds(const SpecCondition& condition, const Subject& subject) {
  const ModelProfile& profile = subject.profile;
  using Component = ModelProfile::Component;
  return Matches(condition.os, subject.machine.os) &&
         Matches(condition.gpu, GpuOf(subject.machine)) &&
         Matches(condition.engines, subject.engine) &&
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
         AnyFile(condition.files, subject.facts.inventory);
}

bool Holds(const SpecConditions& conditions, const Subject& subject) {
  return conditions.empty() ||
         std::any_of(conditions.begin(), conditions.end(),
                     [&](const SpecCondition& condition) { return Holds(condition, subject); });
}

}  // namespace llmd::planner
