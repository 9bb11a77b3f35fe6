// The command line as CLI11 sees it: every command, and the options that may stand anywhere.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "llmctl/command.h"

namespace llmd::client {

struct GeneralOptions {
  bool json = false;
  std::string home;
};

// A sub-command for each command, in the same order. The references must outlive `app`.
std::vector<CLI::App*> DefineCommands(CLI::App& app, GeneralOptions& general,
                                      const std::vector<std::unique_ptr<Command>>& commands);

// Prints help, version or what is wrong; the exit code.
int ExitForParseError(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv);

}  // namespace llmd::client
