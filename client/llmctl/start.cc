// llmctl start: a model's server, ready to answer.
#include <fmt/core.h>
#include <llmd/v1/servers.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "llmctl/command.h"
#include "llmctl/print_server.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

class StartCommand final : public Command {
 public:
  const char* name() const override { return "start"; }
  const char* summary() const override {
    return "Start a model's server and wait until it is ready";
  }
  const char* examples() const override { return "llmctl start SmolLM2-135M-Instruct"; }
  void Define(CLI::App& app) override {
    app.add_option("model", model_, "Name, unique short form, or alias")->required();
  }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Servers>());
    v1::StartServerRequest request;
    request.set_model(model_);
    v1::Server server;
    LLMD_RETURN_IF_ERROR(
        session.Call(*stub, &v1::Servers::Stub::Start, request, &server, kLongCall));
    PrintServer(session, server);
    return kDone;
  }

 private:
  std::string model_;
};

}  // namespace

std::unique_ptr<Command> MakeStartCommand() { return std::make_unique<StartCommand>(); }

}  // namespace llmd::client
