// Loads the handler profiles (YAML) into HandlerSpecs. Strict: an unknown key or id is an error
// with file:line:column.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/status.h"
#include "domain/specs.h"

namespace llmd::handlers {

// Ours from `dir` (an error fails the load), the user's from `user_dir`, which may be missing and
// holds rules and engines too; a bad file of the user's is skipped and its error appended to
// `user_errors`. In matching order: the user's first, then ours by name; the last one, "general",
// matches all. Additions come after the handlers.
StatusOr<std::vector<HandlerSpec>> LoadHandlers(const std::filesystem::path& dir,
                                                const std::filesystem::path& user_dir,
                                                std::vector<std::string>& user_errors);

}  // namespace llmd::handlers
