// llmctl run: one question, one answer.
#include <fmt/core.h>
#include <llmd/v1/agent.grpc.pb.h>
#include <llmd/v1/models.grpc.pb.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "llmctl/chat_loop.h"
#include "llmctl/command.h"
#include "llmctl/generate.h"
#include "llmctl/install_model.h"
#include "llmctl/session.h"
#include "llmctl/source.h"

namespace llmd::client {
namespace {

bool Can(const v1::Model& model, std::string_view capability) {
  const auto& all = model.profile().capabilities();
  return std::find(all.begin(), all.end(), capability) != all.end();
}

class RunCommand final : public Command {
 public:
  const char* name() const override { return "run"; }
  const char* summary() const override {
    return "Ask a model once (installs and starts it when needed)";
  }
  const char* examples() const override {
    return "llmctl run SmolLM2-135M-Instruct \"What is the capital of France?\"\n"
           "echo \"Summarise: ...\" | llmctl run SmolLM2-135M-Instruct\n"
           "llmctl run all-MiniLM-L6-v2 \"a sentence\" --json";
  }
  void Define(CLI::App& app) override {
    DefineSource(app, source_);
    app.add_option("prompt", prompt_, "What to ask; standard input when not given");
    app.add_option("--system", system_, "System prompt");
    DefineSampling(app, sampling_);
  }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(const v1::Model model, FindOrInstall(session));
    if (prompt_.empty() && session.terminal().input_is_terminal()) {
      return RunChatLoop(session, model.name(), system_, sampling_);
    }
    if (prompt_.empty()) {
      prompt_.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
    }
    LLMD_RETURN_IF_ERROR(CheckPrompt());
    if (model.profile().kind() == "embedding") return Embed(session, model.name());
    const TextSink sink = session.json() ? TextSink([](std::string_view) {}) : TextSink(PrintPiece);
    StatusOr<Answer> answer = Can(model, "chat") ? Chat(session, model.name(), sink)
                                                 : Complete(session, model.name(), sink);
    if (!session.json()) fmt::print("\n");
    LLMD_RETURN_IF_ERROR(answer.status());
    if (session.json()) {
      fmt::print("{}", ToJsonText(AnswerToJson(model.name(), *answer)));
    } else if (answer->finish_reason == "length") {
      fmt::print(stderr, "(cut: {})\n",
                 sampling_.max_tokens > 0 ? "--max-tokens allows no more" : "the context is full");
    }
    return kDone;
  }

 private:
  Status CheckPrompt() const {
    if (prompt_.empty()) {
      return MakeStatus(
          StatusCode::kInvalidArgument, "there is nothing to ask",
          {.code = "prompt_missing", .next_step = "Give a prompt, or text on standard input."});
    }
    if (IsValidUtf8(prompt_)) return OkStatus();
    return MakeStatus(
        StatusCode::kInvalidArgument, "the prompt is not UTF-8 text",
        {.code = "invalid_prompt", .next_step = "Convert it first, for example with iconv."});
  }

  StatusOr<v1::Model> FindOrInstall(Session& session) {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Models>());
    v1::GetModelRequest get;
    get.set_model(source_.repository);
    v1::Model model;
    const Status status = session.Call(*stub, &v1::Models::Stub::Get, get, &model);
    if (status.ok()) return model;
    const bool installable = source_.repository.find('/') != std::string::npos;
    if (GetErrorInfo(status).code != "model_not_found" || !installable) return status;
    v1::InstallRequest request;
    LLMD_RETURN_IF_ERROR(FillSource(source_, request.mutable_source()));
    if (!session.json()) fmt::print(stderr, "{} is not installed yet.\n", Safe(source_.repository));
    return InstallModel(session, request);
  }

  StatusOr<Answer> Chat(Session& session, const std::string& model, const TextSink& sink) {
    v1::ChatRequest request;
    request.set_model(model);
    if (!system_.empty()) AddMessage(request, "system", system_);
    AddMessage(request, "user", prompt_);
    FillSampling(sampling_, request.mutable_options());
    return StreamChat(session, request, sink);
  }

  StatusOr<Answer> Complete(Session& session, const std::string& model, const TextSink& sink) {
    v1::CompleteRequest request;
    request.set_model(model);
    request.set_prompt(prompt_);
    FillSampling(sampling_, request.mutable_options());
    return StreamCompletion(session, request, sink);
  }

  StatusOr<int> Embed(Session& session, const std::string& model) {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Agent>());
    v1::EmbedRequest request;
    request.set_model(model);
    request.add_input(prompt_);
    v1::EmbedResponse response;
    LLMD_RETURN_IF_ERROR(
        session.Call(*stub, &v1::Agent::Stub::Embed, request, &response, kLongCall));
    if (session.json()) {
      fmt::print("{}", ToJsonText(response));
      return kDone;
    }
    const auto& values = response.embeddings(0).values();
    fmt::print("{} numbers:", values.size());
    for (int i = 0; i < std::min(values.size(), 8); ++i) fmt::print(" {:.4f}", values[i]);
    fmt::print(" ...\n");
    return kDone;
  }

  static void AddMessage(v1::ChatRequest& request, const char* role, const std::string& content) {
    v1::ChatMessage* message = request.add_messages();
    message->set_role(role);
    message->set_content(content);
  }

  SourceOptions source_;
  std::string prompt_;
  std::string system_;
  SamplingArguments sampling_;
};

}  // namespace

std::unique_ptr<Command> MakeRunCommand() { return std::make_unique<RunCommand>(); }

}  // namespace llmd::client
