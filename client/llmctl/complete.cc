// llmctl __complete: candidates for the last of the words given, one a line. Asks a daemon that
// runs already for names; never starts one, never fails.
#include <fmt/core.h>
#include <llmd/v1/jobs.grpc.pb.h>
#include <llmd/v1/models.grpc.pb.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <set>

#include "llmctl/command.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

// Commands whose first argument is an installed model.
const std::set<std::string>& TakesModel() {
  static const std::set<std::string> names = {"show", "start", "stop",   "restart",
                                              "logs", "run",   "remove", "chat"};
  return names;
}

class CompleteCommand final : public Command {
 public:
  const char* name() const override { return "__complete"; }
  const char* summary() const override { return "Print completion candidates"; }
  const char* examples() const override { return ""; }
  bool hidden() const override { return true; }
  void Define(CLI::App& app) override {
    app_ = &app;
    app.prefix_command();  // everything that follows belongs to us, options too
  }
  StatusOr<int> Run(Session& session) override {
    std::vector<std::string> words = app_->remaining();
    const std::string last = words.empty() ? "" : words.back();
    if (!words.empty()) words.pop_back();
    for (const std::string& candidate : Candidates(session, words, last)) {
      if (candidate.starts_with(last)) fmt::print("{}\n", candidate);
    }
    return kDone;
  }

 private:
  std::vector<std::string> Candidates(Session& session, const std::vector<std::string>& words,
                                      const std::string& last) const {
    const CLI::App* at = app_->get_parent();
    for (const std::string& word : words) {
      const auto subs =
          at->get_subcommands([&word](const CLI::App* sub) { return sub->get_name() == word; });
      if (!subs.empty()) at = subs.front();
    }
    if (last.starts_with('-')) return Options(*at);
    std::vector<std::string> names;
    for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
      if (!sub->get_name().starts_with("__")) names.push_back(sub->get_name());
    }
    if (TakesModel().contains(at->get_name())) Append(names, ModelNames(session));
    const CLI::App* parent = at->get_parent();
    if (parent != nullptr && parent->get_name() == "jobs") Append(names, JobIds(session));
    return names;
  }

  static std::vector<std::string> Options(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
  }

  static void Append(std::vector<std::string>& to, std::vector<std::string> from) {
    to.insert(to.end(), from.begin(), from.end());
  }

  static std::vector<std::string> ModelNames(Session& session) {
    auto stub = session.Stub<v1::Models>(/*start=*/false);
    v1::ListModelsResponse response;
    if (!stub.ok() || !session
                           .Call(**stub, &v1::Models::Stub::List, v1::ListModelsRequest(),
                                 &response, std::chrono::seconds(1))
                           .ok()) {
      return {};
    }
    std::vector<std::string> names;
    for (const v1::Model& model : response.models()) names.push_back(model.name());
    return names;
  }

  static std::vector<std::string> JobIds(Session& session) {
    auto stub = session.Stub<v1::Jobs>(/*start=*/false);
    v1::ListJobsResponse response;
    if (!stub.ok() || !session
                           .Call(**stub, &v1::Jobs::Stub::List, v1::ListJobsRequest(), &response,
                                 std::chrono::seconds(1))
                           .ok()) {
      return {};
    }
    std::vector<std::string> ids;
    for (const v1::Job& job : response.jobs()) ids.push_back(job.id());
    return ids;
  }

  CLI::App* app_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> MakeCompleteCommand() { return std::make_unique<CompleteCommand>(); }

}  // namespace llmd::client
