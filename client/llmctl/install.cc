// llmctl install: a repository into a folder and an environment of its own.
#include <fmt/core.h>
#include <llmd/v1/models.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "llmctl/command.h"
#include "llmctl/install_model.h"
#include "llmctl/source.h"

namespace llmd::client {
namespace {

class InstallCommand final : public Command {
 public:
  const char* name() const override { return "install"; }
  const char* summary() const override {
    return "Install a repository: verified files, an own environment, scripts";
  }
  const char* examples() const override {
    return "llmctl install HuggingFaceTB/SmolLM2-135M-Instruct\n"
           "llmctl install org/name-GGUF --variant Q4_K_M\n"
           "llmctl install ./my-model --name my/model\n"
           "llmctl install org/name --detach && llmctl jobs";
  }
  void Define(CLI::App& app) override {
    DefineSource(app, source_);
    app.add_option("--name", name_, "Name of the installed model (default: the repository id)");
    DefineWish(app, wish_);
    app.add_flag("--force", force_, "Install although the memory estimate says it does not fit");
    app.add_flag("--detach", detach_, "Start the job and return its id at once");
  }
  StatusOr<int> Run(Session& session) override {
    v1::InstallRequest request;
    LLMD_RETURN_IF_ERROR(FillSource(source_, request.mutable_source()));
    request.set_name(name_);
    FillWish(wish_, &request);
    request.set_force(force_);
    if (detach_) return Detach(session, request);
    LLMD_ASSIGN_OR_RETURN(const v1::Model model, InstallModel(session, request));
    if (session.json()) {
      fmt::print("{}", ToJsonText(model));
    } else {
      fmt::print("{} is installed in {}\n  Try it: llmctl run {} \"...\"\n", Safe(model.name()),
                 Safe(model.path()), Safe(model.name()));
    }
    return kDone;
  }

 private:
  StatusOr<int> Detach(Session& session, const v1::InstallRequest& request) {
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Models>());
    v1::Job job;
    LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::Models::Stub::Install, request, &job));
    fmt::print("{}", session.json() ? ToJsonText(job) : job.id() + "\n");
    return kDone;
  }

  SourceOptions source_;
  std::string name_;
  WishOptions wish_;
  bool force_ = false;
  bool detach_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeInstallCommand() { return std::make_unique<InstallCommand>(); }

}  // namespace llmd::client
