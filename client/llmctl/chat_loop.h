// The interactive conversation of `chat`, and of `run` without a prompt.
#pragma once

#include <string>

#include "base/status.h"
#include "llmctl/generate.h"
#include "llmctl/session.h"

namespace llmd::client {

// Reads lines from standard input until end of file or /bye. Ctrl-C stops the answer that is being
// given, at the prompt it ends the program. With --json each answer is one object on one line.
StatusOr<int> RunChatLoop(Session& session, const std::string& model, const std::string& system,
                          const SamplingArguments& sampling);

}  // namespace llmd::client
