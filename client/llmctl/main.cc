// llmctl: the command line of llmd.
#include <cstdlib>
#include <string_view>
#include <vector>

#include "llmctl/command.h"
#include "llmctl/complete.h"
#include "llmctl/parser.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

int Execute(int argc, char** argv) {
  Interrupt interrupt;  // before any other thread
  CLI::App app("llmctl: install, serve and ask any Hugging Face model.", "llmctl");
  GeneralOptions general;
  const auto commands = MakeCommands();
  const std::vector<CLI::App*> subcommands = DefineCommands(app, general, commands);
  const bool completing = argc > 1 && std::string_view(argv[1]) == kCompleteWord;
  try {
    if (!completing) app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ExitForParseError(app, error, argc, argv);
  }
  const StatusOr<platform::HomePaths> paths = platform::ResolveHome(general.home);
  if (!paths.ok()) return PrintError(paths.status(), general.json);
  Connection connection(*paths);
  Session session(connection, interrupt, general.json);
  if (completing) {
    PrintCandidates(app, session, {argv + 2, argv + argc});
    return kDone;
  }
  for (size_t i = 0; i < commands.size(); ++i) {
    if (!subcommands[i]->parsed()) continue;
    const StatusOr<int> exit = commands[i]->Run(session);
    return exit.ok() ? *exit : PrintError(exit.status(), general.json);
  }
  return PrintError(MakeStatus(StatusCode::kInvalidArgument, "a command is missing",
                               {.code = "usage", .next_step = "See: llmctl --help"}),
                    general.json);
}

}  // namespace
}  // namespace llmd::client

int main(int argc, char** argv) {
  ::setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  return llmd::client::Execute(argc, argv);
}
