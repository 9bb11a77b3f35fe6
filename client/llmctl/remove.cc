// llmctl remove: an installed model, gone with its folder.
#include <fmt/core.h>
#include <llmd/v1/models.grpc.pb.h>
#include <CLI/CLI.hpp>

#include <iostream>

#include "base/format.h"
#include "domain/names.h"
#include "llmctl/command.h"
#include "llmctl/session.h"
#include "llmctl/watch_job.h"

namespace llmd::client {
namespace {

class RemoveCommand final : public Command {
 public:
  const char* name() const override { return "remove"; }
  const char* summary() const override { return "Remove an installed model with its folder"; }
  const char* examples() const override {
    return "llmctl remove SmolLM2-135M-Instruct\nllmctl remove org/name --yes --force";
  }
  void Define(CLI::App& app) override {
    app.add_option("model", model_, "Name, unique short form, or alias")->required();
    app.add_flag("-y,--yes", yes_, "Do not ask");
    app.add_flag("--force", force_, "Stop its server first");
  }
  StatusOr<int> Run(Session& session) override {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Models>());
    v1::GetModelRequest get;
    get.set_model(model_);
    v1::Model model;
    LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::Models::Stub::Get, get, &model));
    LLMD_RETURN_IF_ERROR(CheckMeant(model));
    if (!yes_ && !session.terminal().input_is_terminal()) {
      return MakeStatus(StatusCode::kInvalidArgument,
                        fmt::format("nobody is there to confirm that {} goes", model.name()),
                        {.code = "not_confirmed", .next_step = "Say it with --yes."});
    }
    if (!yes_ && !Confirm(model)) {
      fmt::print(stderr, "Nothing was removed.\n");
      return kInterrupted;
    }
    v1::RemoveRequest request;
    request.set_model(model.name());
    request.set_force(force_);
    v1::Job job;
    LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::Models::Stub::Remove, request, &job));
    LLMD_ASSIGN_OR_RETURN(job, WatchJob(session, job));
    if (session.json()) {
      fmt::print("{}", ToJsonText(job));
    } else {
      fmt::print("{} is removed\n", Safe(model.name()));
    }
    return kDone;
  }

 private:
  // A full name in other letters is another model, which is not the one to go.
  Status CheckMeant(const v1::Model& model) const {
    if (model.name() == model_ || ToLower(model.name()) != ToLower(model_)) return OkStatus();
    return MakeStatus(
        StatusCode::kNotFound, fmt::format("there is no installed model {}", model_),
        {.code = "model_not_found", .next_step = fmt::format("Did you mean {}?", model.name())});
  }

  static bool Confirm(const v1::Model& model) {
    fmt::print(stderr, "Remove {} and its folder {}? [y/N] ", Safe(model.name()),
               Safe(model.path()));
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
  }

  std::string model_;
  bool yes_ = false;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeRemoveCommand() { return std::make_unique<RemoveCommand>(); }

}  // namespace llmd::client
