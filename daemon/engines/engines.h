// Loads the engine profiles (YAML) into EngineSpecs. Strict: an unknown key or id is an error with
// file:line:column.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/status.h"
#include "domain/specs.h"

namespace llmd::engines {

// Ours from `dir` (an error fails the load), the user's from `user_dir`, which may be missing and
// holds rules and handlers too; a bad file of the user's is skipped and its error appended to
// `user_errors`. Highest priority first.
StatusOr<std::vector<EngineSpec>> LoadEngines(const std::filesystem::path& dir,
                                              const std::filesystem::path& user_dir,
                                              std::vector<std::string>& user_errors);

}  // namespace llmd::engines
