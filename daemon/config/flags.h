// Flags: llmd's command line. Values are checked together with the other settings, by LoadConfig.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <variant>

namespace llmd::config {

// Empty: not given.
struct Flags {
  std::string home;
  std::string listen;
  std::string grpc_listen;
  std::string log_level;
  std::filesystem::path address_file;  // a copy of run/address.json
  int ready_fd = -1;                   // takes the line "ready" once everything listens
  bool check_rules = false;            // only validate rules, print what is wrong and end
  bool quiet = false;                  // no log on standard error
};

// The flags, or the exit code to end with: --help and --version (0) and wrong usage (2) have been
// answered on `out` or `err` by then.
std::variant<Flags, int> ParseFlags(int argc, const char* const* argv, std::ostream& out,
                                    std::ostream& err);

}  // namespace llmd::config
