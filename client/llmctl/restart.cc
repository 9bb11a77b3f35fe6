// llmctl restart: a model's server, anew.
#include <fmt/core.h>
#include <llmd/v1/servers.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "llmctl/command.h"
#include "llmctl/print_server.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

class RestartCommand final : public Command {
 public:
  const char* name() const override { return "restart"; }
  const char* summary() const override { return "Stop a model's server and start it again"; }
  const char* examples() const override { return "llmctl restart SmolLM2-135M-Instruct"; }
  void Define(CLI::App& app) override {
    app.add_option("model", model_, "Name, unique short form, or alias")->required();
  }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Servers>());
    v1::RestartServerRequest request;
    request.set_model(model_);
    v1::Server server;
    LLMD_RETURN_IF_ERROR(
        session.Call(*stub, &v1::Servers::Stub::Restart, request, &server, kLongCall));
    PrintServer(session, server);
    return kDone;
  }

 private:
  std::string model_;
};

}  // namespace

std::unique_ptr<Command> MakeRestartCommand() { return std::make_unique<RestartCommand>(); }

}  // namespace llmd::client
