// The table of commands.
#include "llmctl/command.h"

namespace llmd::client {

std::vector<std::unique_ptr<Command>> MakeCommands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeCheckCommand());
  commands.push_back(MakeInstallCommand());
  commands.push_back(MakeListCommand());
  commands.push_back(MakeShowCommand());
  commands.push_back(MakeStartCommand());
  commands.push_back(MakeStopCommand());
  commands.push_back(MakeRestartCommand());
  commands.push_back(MakePsCommand());
  commands.push_back(MakeLogsCommand());
  commands.push_back(MakeRunCommand());
  commands.push_back(MakeChatCommand());
  commands.push_back(MakeRemoveCommand());
  commands.push_back(MakeJobsCommand());
  commands.push_back(MakeSystemCommand());
  commands.push_back(MakeDashboardCommand());
  commands.push_back(MakeCompletionCommand());
  return commands;
}

}  // namespace llmd::client
