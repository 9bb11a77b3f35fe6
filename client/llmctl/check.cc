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
           "llmctl check org/name --json | jq .memory";
  }
  void Define(CLI::App& app) override {
    DefineSource(app, source_);
    app.add_option("--variant", variant_, "Look at this variant, such as Q4_K_M");
    app.add_flag("--explain", explain_, "Print every detector and why it matched or not");
  }
  StatusOr<int> Run(Session& session) override {
    v1::CheckRequest request;
    LLMD_RETURN_IF_ERROR(FillSource(source_, request.mutable_source()));
    request.set_variant(variant_);
    LLMD_ASSIGN_OR_RETURN(auto stub, session.Stub<v1::Models>());
    v1::CheckResponse response;
    LLMD_RETURN_IF_ERROR(session.Call(*stub, &v1::Models::Stub::Check, request, &response));
    if (session.json()) {
      fmt::print("{}", ToJsonText(response.profile()));
    } else {
      fmt::print("{}", ProfilePage(response.profile(), session.terminal()));
      if (explain_) fmt::print("\n{}", EvidencePage(response.profile(), session.terminal()));
    }
    return response.exit_code();
  }

 private:
  SourceOptions source_;
  std::string variant_;
  bool explain_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCheckCommand() { return std::make_unique<CheckCommand>(); }

}  // namespace llmd::client
