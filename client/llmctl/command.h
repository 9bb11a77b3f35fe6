// A command is one class in one file and one line in commands.cc. It defines its options on a CLI11
// sub-command and runs against a Session.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace CLI {
class App;
}

namespace llmd::client {

class Session;

class Command {
 public:
  virtual ~Command() = default;
  virtual const char* name() const = 0;
  virtual const char* summary() const = 0;
  // Shown below --help; one example a line.
  virtual const char* examples() const = 0;
  virtual void Define(CLI::App& app) = 0;
  // The exit code (lib/exit_code.h); an error is printed by main, with the code that fits it.
  virtual StatusOr<int> Run(Session& session) = 0;
};

// Every command, in the order of `llmctl --help`.
std::vector<std::unique_ptr<Command>> MakeCommands();

std::unique_ptr<Command> MakeCheckCommand();
std::unique_ptr<Command> MakeInstallCommand();
std::unique_ptr<Command> MakeListCommand();
std::unique_ptr<Command> MakeShowCommand();
std::unique_ptr<Command> MakeStartCommand();
std::unique_ptr<Command> MakeStopCommand();
std::unique_ptr<Command> MakeRestartCommand();
std::unique_ptr<Command> MakePsCommand();
std::unique_ptr<Command> MakeLogsCommand();
std::unique_ptr<Command> MakeRunCommand();
std::unique_ptr<Command> MakeChatCommand();
std::unique_ptr<Command> MakeRemoveCommand();
std::unique_ptr<Command> MakeJobsCommand();
std::unique_ptr<Command> MakeSystemCommand();
std::unique_ptr<Command> MakeDashboardCommand();
std::unique_ptr<Command> MakeCompletionCommand();

}  // namespace llmd::client
