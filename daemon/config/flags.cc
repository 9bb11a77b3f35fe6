#include "config/flags.h"

#include <CLI/CLI.hpp>
#include <ostream>

#include "base/version.h"

namespace llmd::config {
namespace {

constexpr int kUsage = 2;

constexpr char kFooter[] =
    "Settings: flags win over the environment, that over $LLMD_HOME/llmd.yaml.\n"
    "Environment: LLMD_HOME, LLMD_LISTEN, LLMD_GRPC_LISTEN, LLMD_LOG_LEVEL, LLMD_UV, "
    "LLMD_DATA_DIR;\n"
    "  of the Hub HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE;\n"
    "  of uv UV_DEFAULT_INDEX, UV_INDEX, UV_CACHE_DIR; and the usual proxy variables.\n"
    "Signals: the first SIGINT or SIGTERM ends llmd cleanly and keeps model servers running,\n"
    "  the second ends it at once. `llmctl system shutdown` stops model servers too.\n"
    "Examples:\n"
    "  llmd\n"
    "  llmd --home /srv/llm --listen 127.0.0.1:0 --address-file /tmp/address.json";

}  // namespace

std::variant<Flags, int> ParseFlags(int argc, const char* const* argv, std::ostream& out,
                                    std::ostream& err) {
  Flags flags;
  CLI::App app("llmd: installs models and serves them all behind one address.", "llmd");
  app.set_version_flag("--version", std::string("llmd ") + kVersion);
  app.add_option("--home", flags.home, "Folder of models and state (default: $LLMD_HOME, ~/LLM)")
      ->type_name("FOLDER");
  app.add_option("--listen", flags.listen, "HTTP address (default: 127.0.0.1:11500; port 0: any)")
      ->type_name("ADDRESS:PORT");
  app.add_option("--grpc-listen", flags.grpc_listen,
                 "gRPC over TCP too, with the token (default: Unix socket only)")
      ->type_name("ADDRESS:PORT");
  app.add_option("--log-level", flags.log_level, "debug, info, warn or error (default: info)")
      ->type_name("LEVEL");
  app.add_flag("--quiet", flags.quiet, "No log on standard error, only in logs/llmd.log");
  std::string address_file;
  app.add_option("--address-file", address_file, "Write a copy of run/address.json there")
      ->type_name("FILE");
  app.add_option("--ready-fd", flags.ready_fd,
                 "Write the line \"ready\" to this descriptor once everything listens")
      ->type_name("FD")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--check-rules", flags.check_rules,
               "Validate all rules, $LLMD_HOME/rules.d included, and end");
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : kUsage;
  }
  flags.address_file = address_file;
  return flags;
}

}  // namespace llmd::config
