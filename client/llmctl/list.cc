// llmctl list: the installed models.
#include <fmt/core.h>
#include <llmd/v1/models.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "base/format.h"
#include "llmctl/command.h"
#include "llmctl/session.h"
#include "render/table.h"

namespace llmd::client {
namespace {

class ListCommand final : public Command {
 public:
  const char* name() const override { return "list"; }
  const char* summary() const override { return "List the installed models"; }
  const char* examples() const override {
    return "llmctl list\nllmctl list --json | jq -r '.models[].name'";
  }
  void Define(CLI::App&) override {}
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Models>());
    v1::ListModelsResponse response;
    LLMD_RETURN_IF_ERROR(
        session.Call(*stub, &v1::Models::Stub::List, v1::ListModelsRequest(), &response));
    if (session.json()) {
      fmt::print("{}", ToJsonText(response));
      return kDone;
    }
    Table table({"NAME", "KIND", "ENGINE", "SIZE", "STATE", "SERVER"});
    for (const v1::Model& model : response.models()) {
      table.Add({model.name(), model.profile().kind(), model.engine(),
                 FormatBytes(model.bytes_on_disk()), model.state(), model.server_state()});
    }
    if (table.empty()) {
      fmt::print("No model is installed. Install one: llmctl install org/name\n");
    } else {
      fmt::print("{}", table.Render());
    }
    return kDone;
  }
};

}  // namespace

std::unique_ptr<Command> MakeListCommand() { return std::make_unique<ListCommand>(); }

}  // namespace llmd::client
