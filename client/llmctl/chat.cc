// llmctl chat: a conversation.
#include <llmd/v1/models.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "llmctl/chat_loop.h"
#include "llmctl/command.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

class ChatCommand final : public Command {
 public:
  const char* name() const override { return "chat"; }
  const char* summary() const override { return "Talk with a model"; }
  const char* examples() const override {
    return "llmctl chat SmolLM2-135M-Instruct\n"
           "llmctl chat org/name --system \"Answer in one sentence.\"";
  }
  void Define(CLI::App& app) override {
    app.add_option("model", model_, "Name, unique short form, or alias")->required();
    app.add_option("--system", system_, "System prompt");
    DefineSampling(app, sampling_);
  }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Models>());
    v1::GetModelRequest request;
    request.set_model(model_);
    v1::Model model;
    LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::Models::Stub::Get, request, &model));
    return RunChatLoop(session, model.name(), system_, sampling_);
  }

 private:
  std::string model_;
  std::string system_;
  SamplingArguments sampling_;
};

}  // namespace

std::unique_ptr<Command> MakeChatCommand() { return std::make_unique<ChatCommand>(); }

}  // namespace llmd::client
