// llmctl show: one installed model.
#include <fmt/core.h>
#include <llmd/v1/models.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "llmctl/command.h"
#include "llmctl/session.h"
#include "render/profile_page.h"

namespace llmd::client {
namespace {

class ShowCommand final : public Command {
 public:
  const char* name() const override { return "show"; }
  const char* summary() const override { return "Show an installed model"; }
  const char* examples() const override {
    return "llmctl show SmolLM2-135M-Instruct\nllmctl show org/name --json | jq .profile";
  }
  void Define(CLI::App& app) override {
    app.add_option("model", model_, "Name, unique short form, or alias")->required();
  }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Models>());
    v1::GetModelRequest request;
    request.set_model(model_);
    v1::Model model;
    LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::Models::Stub::Get, request, &model));
    if (session.json()) {
      fmt::print("{}", ToJsonText(model));
      return kDone;
    }
    fmt::print("{}", ProfilePage(model.profile(), session.terminal()));
    fmt::print(
        "\n  folder       {}\n  engine       {}\n  state        {}, server {}\n"
        "  installed    {}\n",
        Safe(model.path()), Safe(model.engine()), Safe(model.state()), Safe(model.server_state()),
        Safe(model.installed_at()));
    return kDone;
  }

 private:
  std::string model_;
};

}  // namespace

std::unique_ptr<Command> MakeShowCommand() { return std::make_unique<ShowCommand>(); }

}  // namespace llmd::client
