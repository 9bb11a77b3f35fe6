// llmctl ps: the running model servers.
#include <fmt/core.h>
#include <llmd/v1/servers.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "base/format.h"
#include "llmctl/command.h"
#include "llmctl/session.h"
#include "render/table.h"

namespace llmd::client {
namespace {

class PsCommand final : public Command {
 public:
  const char* name() const override { return "ps"; }
  const char* summary() const override { return "List the model servers"; }
  const char* examples() const override {
    return "llmctl ps\nllmctl ps --json | jq '.servers[] | {model, pid}'";
  }
  void Define(CLI::App&) override {}
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Servers>());
    v1::ListServersResponse response;
    LLMD_RETURN_IF_ERROR(
        session.Call(*stub, &v1::Servers::Stub::List, v1::ListServersRequest(), &response));
    if (session.json()) {
      fmt::print("{}", ToJsonText(response));
      return kDone;
    }
    Table table({"MODEL", "STATE", "ENGINE", "PID", "MEMORY", "RESERVED", "IN FLIGHT", "REASON"});
    for (const v1::Server& server : response.servers()) {
      table.Add({server.model(), server.state(), server.engine(),
                 server.pid() == 0 ? "-" : std::to_string(server.pid()),
                 FormatBytes(server.memory_bytes()), FormatBytes(server.reserved_bytes()),
                 std::to_string(server.in_flight()), server.reason()});
    }
    if (table.empty()) {
      fmt::print(
          "No model server is running. A model starts by its first request, or with: "
          "llmctl start NAME\n");
    } else {
      fmt::print("{}", table.Render());
    }
    return kDone;
  }
};

}  // namespace

std::unique_ptr<Command> MakePsCommand() { return std::make_unique<PsCommand>(); }

}  // namespace llmd::client
