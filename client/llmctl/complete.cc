#include "llmctl/complete.h"

#include <fmt/core.h>
#include <llmd/v1/jobs.grpc.pb.h>
#include <llmd/v1/models.grpc.pb.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace llmd::client {
namespace {

constexpr std::chrono::seconds kPatience{1};

// Commands whose first argument is an installed model.
constexpr std::array<std::string_view, 8> kTakesModel = {"show", "start", "stop",   "restart",
                                                         "logs", "run",   "remove", "chat"};

std::vector<std::string> Options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

void AddModels(Session& session, std::vector<std::string>& names) {
  auto stub = session.Stub<v1::Models>(/*start=*/false);
  v1::ListModelsResponse response;
  if (!stub.ok() ||
      !session.Call(**stub, &v1::Models::Stub::List, v1::ListModelsRequest(), &response, kPatience)
           .ok()) {
    return;
  }
  std::map<std::string, int> short_names;
  for (const v1::Model& model : response.models()) {
    names.push_back(model.name());
    ++short_names[model.name().substr(model.name().find('/') + 1)];
  }
  for (const auto& [name, count] : short_names) {
    if (count == 1) names.push_back(name);
  }
}

void AddJobs(Session& session, std::vector<std::string>& names) {
  auto stub = session.Stub<v1::Jobs>(/*start=*/false);
  v1::ListJobsResponse response;
  if (!stub.ok() ||
      !session.Call(**stub, &v1::Jobs::Stub::List, v1::ListJobsRequest(), &response, kPatience)
           .ok()) {
    return;
  }
  for (const v1::Job& job : response.jobs()) names.push_back(job.id());
}

// The command that the words have led to.
const CLI::App* Follow(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  for (const std::string& word : words) {
    const auto subs =
        at->get_subcommands([&word](const CLI::App* sub) { return sub->get_name() == word; });
    if (!subs.empty()) at = subs.front();
  }
  return at;
}

std::vector<std::string> Candidates(const CLI::App& app, Session& session,
                                    const std::vector<std::string>& words,
                                    const std::string& last) {
  const CLI::App* at = Follow(app, words);
  if (last.starts_with('-')) {
    std::vector<std::string> names = Options(*at);
    if (at != &app) {  // --json and --home may stand anywhere
      const std::vector<std::string> general = Options(app);
      names.insert(names.end(), general.begin(), general.end());
    }
    return names;
  }
  std::vector<std::string> names;
  for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  const bool takes_model =
      std::find(kTakesModel.begin(), kTakesModel.end(), at->get_name()) != kTakesModel.end();
  if (takes_model) AddModels(session, names);
  const CLI::App* parent = at->get_parent();
  if (parent != nullptr && parent->get_name() == "jobs") AddJobs(session, names);
  return names;
}

}  // namespace

void PrintCandidates(const CLI::App& app, Session& session, std::vector<std::string> words) {
  const std::string last = words.empty() ? "" : words.back();
  if (!words.empty()) words.pop_back();
  std::vector<std::string> names = Candidates(app, session, words, last);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : names) {
    if (name.starts_with(last)) fmt::print("{}\n", Safe(name));
  }
}

}  // namespace llmd::client
