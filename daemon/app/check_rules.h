// `llmd --check-rules`: validates our rules and the user's, and says what is wrong.
#pragma once

#include <string_view>

#include "base/status.h"

namespace llmd::app {

// Prints a line on standard output for each file that is wrong, or one that all are fine. `home` as
// in platform::ResolveHome. kInvalidArgument (code "invalid_rules") when any is wrong.
Status CheckRules(std::string_view home);

}  // namespace llmd::app
