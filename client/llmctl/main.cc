// llmctl: the command line of llmd.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cstdlib>

#include "base/version.h"
#include "llmctl/command.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

constexpr char kFooter[] =
    "Exit codes: 0 done, 1 internal, 2 usage, 3 impossible on this machine, 4 not a model,\n"
    "5 unreachable (not found, gated, network), 6 llmd cannot be started, 7 the job failed,\n"
    "130 interrupted.\n"
    "Environment: LLMD_HOME (default ~/LLM), HF_TOKEN, HF_ENDPOINT, NO_COLOR.";

int Execute(int argc, char** argv) {
  Interrupt interrupt;  // before any other thread
  CLI::App app("llmctl: install, serve and ask any Hugging Face model.", "llmctl");
  bool json = false;
  std::string home;
  app.set_version_flag("--version", std::string("llmctl ") + kVersion);
  app.add_flag("--json", json, "Print JSON on standard output");
  app.add_option("--home", home, "The llmd home to talk to (default: $LLMD_HOME, else ~/LLM)");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kFooter);
  const auto commands = MakeCommands();
  std::vector<CLI::App*> subcommands;
  for (const auto& command : commands) {
    CLI::App* sub = app.add_subcommand(command->name(), command->summary());
    if (*command->examples() != '\0') sub->footer(std::string("Examples:\n") + command->examples());
    if (command->hidden()) sub->group("");
    sub->fallthrough();
    command->Define(*sub);
    subcommands.push_back(sub);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  const StatusOr<platform::HomePaths> paths = platform::ResolveHome(home);
  if (!paths.ok()) return PrintError(paths.status(), json);
  Connection connection(*paths);
  Session session(connection, interrupt, json);
  for (size_t i = 0; i < commands.size(); ++i) {
    if (!subcommands[i]->parsed()) continue;
    const StatusOr<int> exit = commands[i]->Run(session);
    return exit.ok() ? *exit : PrintError(exit.status(), json);
  }
  return kUsage;
}

}  // namespace
}  // namespace llmd::client

int main(int argc, char** argv) {
  ::setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  return llmd::client::Execute(argc, argv);
}
