#include "llmctl/source.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

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

struct Place {
  std::string repository;
  std::string revision;
};

// "https://host/org/name/tree/v1", as a browser shows a repository: org/name at v1.
StatusOr<Place> ParseAddress(std::string_view address) {
  std::vector<std::string> parts;
  address = address.substr(0, address.find_first_of("?#"));
  for (size_t at = 0; at < address.size();) {
    const size_t end = std::min(address.find('/', at), address.size());
    if (end > at) parts.emplace_back(address.substr(at, end - at));
    at = end + 1;
  }
  constexpr size_t kOrganisation = 2;  // after scheme and host
  const bool model = parts.size() > kOrganisation + 1 && parts[kOrganisation] != "datasets" &&
                     parts[kOrganisation] != "spaces";
  if (!model) {
    return MakeStatus(StatusCode::kInvalidArgument, "that is not the address of a model",
                      {.code = "invalid_repo_id", .next_step = "Give its id: org/name."});
  }
  Place place{.repository = parts[kOrganisation] + "/" + parts[kOrganisation + 1]};
  const bool revised = parts.size() > kOrganisation + 3 &&
                       (parts[kOrganisation + 2] == "tree" || parts[kOrganisation + 2] == "blob");
  if (revised) place.revision = parts[kOrganisation + 3];
  return place;
}

}  // namespace

void DefineSource(CLI::App& app, SourceOptions& options) {
  app.add_option("repository", options.repository,
                 "Repository id (org/name) or address, or a folder (./name, /path)")
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
  Place place{.repository = options.repository, .revision = options.revision};
  if (place.repository.starts_with("https://") || place.repository.starts_with("http://")) {
    LLMD_ASSIGN_OR_RETURN(place, ParseAddress(options.repository));
    if (!options.revision.empty()) place.revision = options.revision;
  }
  LLMD_ASSIGN_OR_RETURN(const std::string repository, ResolveRepositoryArgument(place.repository));
  source->set_repo_id(repository);
  source->set_revision(place.revision);
  std::string token = Environment("HF_TOKEN");
  if (token.empty()) token = Environment("HUGGING_FACE_HUB_TOKEN");
  source->set_hf_token(token);
  source->set_hf_endpoint(Environment("HF_ENDPOINT"));
  source->set_offline(options.offline || IsOn(Environment("HF_HUB_OFFLINE")));
  return OkStatus();
}

}  // namespace llmd::client
