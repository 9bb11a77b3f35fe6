#include <filesystem>

#include "domain/names.h"
#include "hub/http_hub.h"
#include "hub/hub.h"
#include "hub/local_repository.h"
#include "hub/settings.h"

namespace llmd::hub {
namespace {

// Chooses the source by the form of the request: a path is a folder, anything else an id.
class SourceHub final : public Hub {
 public:
  SourceHub(HubSettings settings, std::unique_ptr<HttpHub> http)
      : settings_(std::move(settings)), http_(std::move(http)) {}

  StatusOr<std::unique_ptr<Repository>> Open(const RepositoryRequest& request,
                                             const CancelToken& cancel) override {
    if (request.repo_id.starts_with('/')) return OpenFolder(request.repo_id);
    LLMD_RETURN_IF_ERROR(ValidateRepoId(request.repo_id));
    if (settings_.offline || request.offline) return OpenOffline(request);
    return http_->Open(request, cancel);
  }

 private:
  // What an earlier check kept has the whole list of files; a cache may hold some files only.
  StatusOr<std::unique_ptr<Repository>> OpenOffline(const RepositoryRequest& request) {
    auto checked = http_->OpenOffline(request);
    if (!checked.ok()) {
      if (checked.status().code() != StatusCode::kNotFound) return checked.status();
      auto cached = OpenCached(settings_.cache_folder, request.repo_id,
                               request.revision.empty() ? "main" : request.revision);
      if (cached.ok() || cached.status().code() != StatusCode::kNotFound) return cached;
      return NotHere(cached.status());
    }
    const RepositoryInfo& info = (*checked)->info();
    auto files = OpenCached(settings_.cache_folder, info.repo_id, info.revision.value_or(""));
    if (files.ok()) (*checked)->SetLocalFiles(*std::move(files));
    return *std::move(checked);
  }

  // The way back online depends on who said to be offline.
  Status NotHere(const Status& status) const {
    const char* const next_step =
        settings_.offline ? "The daemon is set to be offline: unset HF_HUB_OFFLINE and restart it."
                          : "Leave out --offline (and HF_HUB_OFFLINE) to fetch it from the Hub.";
    return MakeStatus(status.code(), Message(status),
                      {.code = GetErrorInfo(status).code, .next_step = next_step});
  }

  const HubSettings settings_;
  const std::unique_ptr<HttpHub> http_;
};

}  // namespace

std::unique_ptr<Hub> MakeHub(HubOptions options) {
  const Environment environment = options.environment ? options.environment : ProcessEnvironment();
  HubSettings settings = ReadSettings(options, environment);
  auto http = std::make_unique<HttpHub>(settings, std::move(options.metadata_retry),
                                        std::move(options.download_retry), environment);
  return std::make_unique<SourceHub>(std::move(settings), std::move(http));
}

}  // namespace llmd::hub
