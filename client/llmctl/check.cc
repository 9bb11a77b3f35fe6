// llmctl check: what a repository is, what it needs, whether it fits.
#include <fmt/core.h>
#include <llmd/v1/models.grpc.pb.h>
#include <CLI/CLI.hpp>

#include "llmctl/command.h"
#include "llmctl/session.h"
#include "llmctl/source.h"
#include "render/profile_page.h"

namespace llmd::client {
namespace {

class CheckCommand final : public Command {
 public:
  const char* name() const override { return "check"; }
  const char* summary() const override {
    return "Say what a repository is, what it needs and whether it fits, without a download";
  }
  const char* examples() const override {
    return "llmctl check HuggingFaceTB/SmolLM2-135M-Instruct\n"
           "llmctl check ./my-model --explain\n"
           "llmctl check org/name-GGUF --variant Q4_K_M --context 8192\n"
           "llmctl check org/name --json | jq .memory";
  }
  void Define(CLI::App& app) override {
    DefineSource(app, source_);
    DefineWish(app, wish_);
    app.add_flag("--explain", explain_, "Print every detector and why it matched or not");
  }
  StatusOr<int> Run(Session& session) override {
    v1::CheckRequest request;
    LLMD_RETURN_IF_ERROR(FillSource(source_, request.mutable_source()));
    FillWish(wish_, &request);
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Models>());
    v1::CheckResponse response;
    LLMD_RETURN_IF_ERROR(
        session.Call(*stub, &v1::Models::Stub::Check, request, &response, kCheckCall));
    if (session.json()) {
      fmt::print("{}", ToJsonText(response.profile()));
    } else {
      fmt::print("{}", CheckPage(response, session.terminal()));
      if (explain_) fmt::print("\n{}", EvidencePage(response.profile(), session.terminal()));
    }
    return response.exit_code();
  }

 private:
  SourceOptions source_;
  WishOptions wish_;
  bool explain_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCheckCommand() { return std::make_unique<CheckCommand>(); }

}  // namespace llmd::client
