#include "hub/http_hub.h"

#include <algorithm>

#include "hub/url.h"

namespace llmd::hub {
namespace {

const std::string& RevisionOf(const RepositoryRequest& request) {
  static const std::string kMain = "main";
  return request.revision.empty() ? kMain : request.revision;
}

bool IsHeaderValue(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

HttpHub::HttpHub(HubSettings settings, RetryPolicy metadata_retry, RetryPolicy download_retry,
                 Environment environment)
    : settings_(std::move(settings)),
      metadata_retry_(std::move(metadata_retry)),
      download_retry_(std::move(download_retry)),
      environment_(std::move(environment)),
      transport_(std::make_shared<HttpTransport>(settings_.transport)),
      cache_(settings_.metadata_folder) {}

std::shared_ptr<RateGates> HttpHub::GatesFor(const std::string& endpoint) {
  constexpr size_t kMaxGates = 64;  // endpoints come from callers
  MutexLock lock(mutex_);
  if (gates_.size() >= kMaxGates && !gates_.contains(endpoint)) gates_.clear();
  auto& gates = gates_[endpoint];
  if (gates == nullptr) gates = std::make_shared<RateGates>();
  return gates;
}

StatusOr<HubClient::Parts> HttpHub::PartsFor(const RepositoryRequest& request) {
  Access access = ResolveAccess(request.credentials, settings_, environment_);
  StatusOr<Url> endpoint = ParseUrl(access.endpoint);
  if (!endpoint.ok()) {
    return MakeStatus(StatusCode::kInvalidArgument,
                      "the Hub's endpoint: " + Message(endpoint.status()),
                      {.code = "invalid_endpoint",
                       .next_step = "Write it like https://huggingface.co in HF_ENDPOINT."});
  }
  if (!IsHeaderValue(access.token)) {
    return MakeStatus(StatusCode::kUnauthenticated, "the token holds characters that no token has",
                      {.code = "invalid_token",
                       .next_step = "Check HF_TOKEN and the token file: one line, no spaces."});
  }
  auto gates = GatesFor(endpoint->Origin());
  return HubClient::Parts{.transport = transport_,
                          .gates = std::move(gates),
                          .endpoint = *std::move(endpoint),
                          .token = std::move(access.token),
                          .metadata_retry = metadata_retry_,
                          .download_retry = download_retry_};
}

StatusOr<std::unique_ptr<Repository>> HttpHub::Open(const RepositoryRequest& request,
                                                    const CancelToken& cancel) {
  LLMD_ASSIGN_OR_RETURN(HubClient::Parts parts, PartsFor(request));
  const std::string token = parts.token;
  auto client = std::make_unique<HubClient>(std::move(parts));
  const std::string& revision = RevisionOf(request);
  LLMD_ASSIGN_OR_RETURN(RepositoryInfo info, FetchInfo(*client, request.repo_id, revision, cancel));
  const std::string base = client->base();
  cache_.StoreInfo(base, request.repo_id, revision, info);
  const auto folder = cache_.CommitFolder(base, info, token);
  return std::unique_ptr<Repository>(
      new HttpRepository(std::move(client), std::move(info), folder));
}

StatusOr<std::unique_ptr<HttpRepository>> HttpHub::OpenOffline(const RepositoryRequest& request) {
  LLMD_ASSIGN_OR_RETURN(HubClient::Parts parts, PartsFor(request));
  const std::string token = parts.token;
  parts.offline = true;
  auto client = std::make_unique<HubClient>(std::move(parts));
  const std::string base = client->base();
  auto info = cache_.FindInfo(base, request.repo_id, RevisionOf(request));
  if (!info) {
    return MakeStatus(StatusCode::kNotFound,
                      fmt::format("{} was not checked while online", request.repo_id),
                      {.code = "not_cached", .next_step = "Check it once without --offline."});
  }
  const auto folder = cache_.CommitFolder(base, *info, token);
  return std::make_unique<HttpRepository>(std::move(client), *std::move(info), folder);
}

}  // namespace llmd::hub
