// llmd: the daemon. Flags, configuration, one home, run, exit code.
#include <cstdio>
#include <iostream>
#include <string_view>
#include <variant>

#include "app/check_rules.h"
#include "app/daemon.h"
#include "app/home_lock.h"
#include "app/signals.h"
#include "base/file.h"
#include "base/logging.h"
#include "config/config.h"

namespace llmd {
namespace {

// Tells whoever started us; see --ready-fd.
void Tell(int fd, std::string_view line) {
  if (fd >= 0) static_cast<void>(WriteAll(fd, line));
}

Status Run(const config::Flags& flags) {
  LLMD_ASSIGN_OR_RETURN(const platform::HomePaths home, platform::ResolveHome(flags.home));
  LLMD_ASSIGN_OR_RETURN(config::Config config,
                        config::LoadConfig(home, flags, config::ProcessEnvironment()));
  LLMD_RETURN_IF_ERROR(platform::CreateHome(home));
  const StatusOr<app::HomeLock> lock = app::HomeLock::Take(home.lock_file());
  if (!lock.ok()) {
    Tell(flags.ready_fd, "already_running\n");
    return lock.status();
  }
  LLMD_RETURN_IF_ERROR(InitLogging({.file = home.logs() / "llmd.log",
                                    .level = config.log_level,
                                    .to_stderr = config.log_to_stderr}));
  app::Daemon daemon({.address_file = flags.address_file,
                      .on_ready = [&flags] { Tell(flags.ready_fd, "ready\n"); }});
  const app::SignalThread signals([&daemon] { daemon.Ask(/*stop_servers=*/false); });
  const Status status = daemon.Run(std::move(config));
  if (!status.ok()) Log("app").Error("llmd ends", {{"why", Message(status)}});
  FlushLogs();
  return status;
}

}  // namespace
}  // namespace llmd

int main(int argc, char** argv) {
  llmd::app::BlockSignals();
  const auto parsed = llmd::config::ParseFlags(argc, argv, std::cout, std::cerr);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& flags = std::get<llmd::config::Flags>(parsed);
  const llmd::Status status =
      flags.check_rules ? llmd::app::CheckRules(flags.home) : llmd::Run(flags);
  if (status.ok()) return 0;
  const llmd::ErrorInfo info = llmd::GetErrorInfo(status);
  fmt::print(stderr, "llmd: {}\n", llmd::Message(status));
  if (!info.next_step.empty()) fmt::print(stderr, "      {}\n", info.next_step);
  return 1;
}
