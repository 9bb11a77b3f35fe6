#include "llmctl/source.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "llmctl/session.h"

namespace llmd::client {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

void DefineSource(CLI::App& app, SourceOptions& options) {
  app.add_option("repository", options.repository,
                 "Repository id (org/name), or a folder (./name, /path)")
      ->required();
  app.add_option("--revision", options.revision, "Branch, tag or commit (default: main)");
}

Status FillSource(const SourceOptions& options, v1::Source* source) {
  LLMD_ASSIGN_OR_RETURN(const std::string repository,
                        ResolveRepositoryArgument(options.repository));
  source->set_repo_id(repository);
  source->set_revision(options.revision);
  std::string token = Environment("HF_TOKEN");
  if (token.empty()) token = Environment("HUGGING_FACE_HUB_TOKEN");
  source->set_hf_token(token);
  source->set_hf_endpoint(Environment("HF_ENDPOINT"));
  return OkStatus();
}

}  // namespace llmd::client
