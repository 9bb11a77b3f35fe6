// requirements.txt (what was asked for, with the user's own lines) and requirements.lock (what it
// was resolved to). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llmd::pyenv {

// The new requirements.txt: `packages`, then what the user added below the marker line of
// `existing` (all of it, when llmd did not write that file). kInvalidArgument, code
// "bad_requirement", for a package that is more than one requirement.
StatusOr<std::string> MergeRequirements(const std::vector<std::string>& packages,
                                        std::string_view existing);

// Normalised project names that `requirements` asks for: "torch" for "Torch [x] >=2 ; a == 'b'".
std::vector<std::string> RequestedProjects(std::string_view requirements);

// What a lock was made from; part of its first lines.
struct LockHeader {
  std::string inputs;  // digest of what it was resolved from
  std::string torch;   // "cpu": from the index of CPU builds; empty: from the usual one
};
std::string WriteLock(const LockHeader& header, std::string_view pins);
std::optional<LockHeader> ReadLockHeader(std::string_view lock);

}  // namespace llmd::pyenv
