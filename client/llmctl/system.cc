// llmctl system: the daemon and the machine.
#include <fmt/core.h>
#include <llmd/v1/system.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "base/format.h"
#include "llmctl/command.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

class SystemCommand final : public Command {
 public:
  const char* name() const override { return "system"; }
  const char* summary() const override { return "Show the daemon and the machine, or shut down"; }
  const char* examples() const override {
    return "llmctl system\nllmctl system shutdown\nllmctl system shutdown --keep-servers";
  }
  void Define(CLI::App& app) override {
    app.require_subcommand(0, 1);
    info_ = app.add_subcommand("info", "Show the daemon and the machine (the default)");
    shutdown_ = app.add_subcommand("shutdown", "End llmd and its model servers");
    shutdown_->add_flag("--keep-servers", keep_servers_, "Leave the model servers running");
  }
  StatusOr<int> Run(Session& session) override {
    return shutdown_->parsed() ? Shutdown(session) : Info(session);
  }

 private:
  StatusOr<int> Info(Session& session) {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::System>());
    v1::InfoResponse info;
    LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::System::Stub::Info, v1::InfoRequest(), &info));
    if (session.json()) {
      fmt::print("{}", ToJsonText(info));
      return kDone;
    }
    const v1::Machine& machine = info.machine();
    fmt::print("llmd {} (pid {})\n  home      {}\n  http      {}\n  grpc      {}\n",
               Safe(info.version()), info.pid(), Safe(info.home()), Safe(info.http()),
               Safe(info.grpc()));
    fmt::print("  machine   {} {}, {} CPUs, {} of memory, {} of disk free\n", Safe(machine.os()),
               Safe(machine.arch()), machine.cpus(), FormatBytes(machine.memory_bytes()),
               FormatBytes(machine.disk_free_bytes()));
    for (const v1::Gpu& gpu : machine.gpus()) {
      fmt::print("  gpu       {} ({})\n", Safe(gpu.name()), FormatBytes(gpu.memory_bytes()));
    }
    fmt::print("  models    {} of {} reserved\n  uv        {}\n",
               FormatBytes(info.memory().reserved_bytes()),
               FormatBytes(info.memory().capacity_bytes()), Safe(info.uv()));
    for (const std::string& error : info.rule_errors()) {
      fmt::print("  {} {}\n", session.terminal().Yellow("!"), Safe(error));
    }
    return kDone;
  }

  StatusOr<int> Shutdown(Session& session) {
    auto stub = session.Stub<v1::System>(/*start=*/false);
    if (!stub.ok()) {
      if (session.json()) {
        fmt::print("{{\"running\": false}}\n");
      } else {
        fmt::print("No llmd is running for {}.\n", session.home().home.string());
      }
      return kDone;
    }
    v1::ShutdownRequest request;
    request.set_keep_servers(keep_servers_);
    v1::ShutdownResponse response;
    LLMD_RETURN_IF_ERROR(
        session.Call(**stub, &v1::System::Stub::Shutdown, request, &response, kLongCall));
    fmt::print("{}", session.json() ? "{}\n" : "llmd is shutting down.\n");
    return kDone;
  }

  CLI::App* info_ = nullptr;
  CLI::App* shutdown_ = nullptr;
  bool keep_servers_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeSystemCommand() { return std::make_unique<SystemCommand>(); }

}  // namespace llmd::client
