#include "llmctl/source.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "domain/names.h"
#include "llmctl/session.h"

namespace llmd::client {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsOn(const std::string& value) {
  const std::string word = ToLower(value);
  return word == "1" || word == "on" || word == "yes" || word == "true";
}

}  // namespace

void DefineSource(CLI::App& app, SourceOptions& options) {
  app.add_option("repository", options.repository,
                 "Repository id (org/name), or a folder (./name, /path)")
      ->required();
  app.add_option("--revision", options.revision, "Branch, tag or commit (default: main)");
  app.add_flag("--offline", options.offline, "Make no request: use what was read before");
}

void DefineWish(CLI::App& app, WishOptions& options) {
  app.add_option("--variant", options.variant, "Variant, such as a GGUF quantisation (Q4_K_M)");
  app.add_option("--file", options.file, "The variant that this file of the repository is of");
  app.add_option("--engine", options.engine, "Engine: llama.cpp, transformers, ...");
  app.add_option("--quantization", options.quantization, "4bit, 8bit, fp8 or none");
  app.add_option("--context", options.context, "Context length in tokens")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 31));
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
  source->set_offline(options.offline || IsOn(Environment("HF_HUB_OFFLINE")));
  return OkStatus();
}

}  // namespace llmd::client
