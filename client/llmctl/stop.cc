// llmctl stop: a model's server, gone with its whole process group.
#include <fmt/core.h>
#include <llmd/v1/servers.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "llmctl/command.h"
#include "llmctl/print_server.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

class StopCommand final : public Command {
 public:
  const char* name() const override { return "stop"; }
  const char* summary() const override { return "Stop a model's server"; }
  const char* examples() const override {
    return "llmctl stop SmolLM2-135M-Instruct\nllmctl stop org/name --grace 60";
  }
  void Define(CLI::App& app) override {
    app.add_option("model", model_, "Name, unique short form, or alias")->required();
    app.add_option("--grace", grace_, "Seconds between asking and killing (default: configured)");
  }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Servers>());
    v1::StopServerRequest request;
    request.set_model(model_);
    request.set_grace_seconds(grace_);
    v1::Server server;
    LLMD_RETURN_IF_ERROR(
        session.Call(*stub, &v1::Servers::Stub::Stop, request, &server, kLongCall));
    PrintServer(session, server);
    return kDone;
  }

 private:
  std::string model_;
  double grace_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeStopCommand() { return std::make_unique<StopCommand>(); }

}  // namespace llmd::client
