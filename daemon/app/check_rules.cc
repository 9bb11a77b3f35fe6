#include "app/check_rules.h"

#include <fmt/core.h>

#include "app/parts.h"
#include "platform/paths.h"

namespace llmd::app {

Status CheckRules(std::string_view home) {
  LLMD_ASSIGN_OR_RETURN(const platform::HomePaths paths, platform::ResolveHome(home));
  LLMD_ASSIGN_OR_RETURN(const auto data_dir, platform::FindDataDir());
  LLMD_ASSIGN_OR_RETURN(const Knowledge knowledge, LoadKnowledge(data_dir, paths.rules()));
  for (const std::string& error : knowledge.user_errors) fmt::print("{}\n", error);
  if (const size_t wrong = knowledge.user_errors.size(); wrong > 0) {
    return MakeStatus(StatusCode::kInvalidArgument,
                      fmt::format("{} file{} in {} cannot be used", wrong, wrong == 1 ? "" : "s",
                                  paths.rules().string()),
                      {.code = "invalid_rules", .next_step = "Mend them, or move them away."});
  }
  fmt::print("rules are fine ({} handlers, {} engines; user rules: {})\n",
             knowledge.handlers.size(), knowledge.engines.size(), paths.rules().string());
  return OkStatus();
}

}  // namespace llmd::app
