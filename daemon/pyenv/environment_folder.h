// .venv and its twins under way: `.venv-<hash>` is built beside and becomes `.venv` in one step. An
// environment counts only with its marker, which is written last.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/status.h"

namespace llmd::pyenv {

class EnvironmentFolder {
 public:
  explicit EnvironmentFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path placed() const { return folder_ / ".venv"; }
  std::filesystem::path building(const std::string& hash) const;
  // For files that only one build needs.
  std::filesystem::path work() const { return folder_ / ".venv-work"; }

  // Whether `environment` is whole, has this hash and has passed this check.
  static bool IsWhole(const std::filesystem::path& environment, const std::string& hash,
                      const std::vector<std::string>& smoke_argv);
  // Makes it durable and writes the marker.
  static Status MarkWhole(const std::filesystem::path& environment, const std::string& hash,
                          const std::vector<std::string>& smoke_argv);

  // Puts a whole `.venv-<hash>` in the place of `.venv`, in one step.
  Status Place(const std::string& hash) const;
  // Removes every `.venv-*`, or all but that of `hash`.
  Status RemoveLeftovers(const std::string& hash = "") const;

 private:
  std::filesystem::path folder_;
};

}  // namespace llmd::pyenv
