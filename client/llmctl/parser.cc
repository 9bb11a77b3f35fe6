#include "llmctl/parser.h"

#include <algorithm>
#include <string_view>

#include "base/version.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

constexpr char kFooter[] =
    "Exit codes: 0 done, 1 internal, 2 usage, 3 impossible on this machine, 4 not a model,\n"
    "5 unreachable (not found, gated, network), 6 llmd cannot be started, 7 the job failed,\n"
    "130 interrupted.\n"
    "Environment: LLMD_HOME (default ~/LLM), HF_TOKEN, HF_ENDPOINT, NO_COLOR.";

}  // namespace

std::vector<CLI::App*> DefineCommands(CLI::App& app, GeneralOptions& general,
                                      const std::vector<std::unique_ptr<Command>>& commands) {
  app.set_version_flag("--version", std::string("llmctl ") + kVersion);
  app.add_flag("--json", general.json, "Print JSON on standard output");
  app.add_option("--home", general.home,
                 "The llmd home to talk to (default: $LLMD_HOME, else ~/LLM)");
  // Counted in main: what is not understood is said before what is missing.
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.footer(kFooter);
  std::vector<CLI::App*> subcommands;
  for (const auto& command : commands) {
    CLI::App* sub = app.add_subcommand(command->name(), command->summary());
    sub->footer(std::string("Everywhere: --json, --home FOLDER.\n\nExamples:\n") +
                command->examples());
    command->Define(*sub);
    subcommands.push_back(sub);
  }
  return subcommands;
}

int ExitForParseError(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  // The parser may have stopped before it saw --json.
  const bool json = std::any_of(
      argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
  if (error.get_exit_code() == 0 || !json) return app.exit(error) == 0 ? kDone : kUsage;
  return PrintError(MakeStatus(StatusCode::kInvalidArgument, error.what(),
                               {.code = "usage", .next_step = "See: llmctl --help"}),
                    /*json=*/true);
}

}  // namespace llmd::client
