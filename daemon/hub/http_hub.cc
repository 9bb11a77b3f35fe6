#include "hub/http_hub.h"

#include "hub/http_repository.h"
#include "hub/hub_client.h"
#include "hub/url.h"

namespace llmd::hub {

HttpHub::HttpHub(HubSettings settings, RetryPolicy metadata_retry, RetryPolicy download_retry,
                 Environment environment)
    : settings_(std::move(settings)),
      metadata_retry_(std::move(metadata_retry)),
      download_retry_(std::move(download_retry)),
      environment_(std::move(environment)),
      transport_(std::make_shared<HttpTransport>(settings_.transport)) {}

std::shared_ptr<RateGate> HttpHub::GateFor(const std::string& endpoint) {
  constexpr size_t kMaxGates = 64;  // endpoints come from callers
  MutexLock lock(mutex_);
  if (gates_.size() >= kMaxGates && !gates_.contains(endpoint)) gates_.clear();
  auto& gate = gates_[endpoint];
  if (gate == nullptr) gate = std::make_shared<RateGate>();
  return gate;
}

StatusOr<std::unique_ptr<Repository>> HttpHub::Open(const RepositoryRequest& request,
                                                    const CancelToken& cancel) {
  Access access = ResolveAccess(request.credentials, settings_, environment_);
  const StatusOr<Url> endpoint = ParseUrl(access.endpoint);
  if (!endpoint.ok()) {
    return MakeStatus(StatusCode::kInvalidArgument,
                      "the Hub's endpoint: " + Message(endpoint.status()),
                      {.code = "invalid_endpoint",
                       .next_step = "Write it like https://huggingface.co in HF_ENDPOINT."});
  }
  if (access.token.find_first_of("\r\n") != std::string::npos) {
    return MakeStatus(StatusCode::kUnauthenticated, "the token holds a line break",
                      {.code = "invalid_token"});
  }
  auto client = std::make_unique<HubClient>(
      HubClient::Parts{.transport = transport_,
                       .gate = GateFor(endpoint->Origin()),
                       .endpoint = *endpoint,
                       .token = std::move(access.token),
                       .metadata_retry = metadata_retry_,
                       .download_retry = download_retry_});
  const std::string revision = request.revision.empty() ? "main" : request.revision;
  return HttpRepository::Open(std::move(client), request.repo_id, revision, cancel);
}

}  // namespace llmd::hub
