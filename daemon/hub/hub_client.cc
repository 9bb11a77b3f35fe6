#include "hub/hub_client.h"

#include <algorithm>
#include <iterator>

namespace llmd::hub {
namespace {

constexpr int kMaxRedirects = 10;
// Mirrors send callers from some networks to these. They get no token of ours.
constexpr std::string_view kHubOrigins[] = {"https://huggingface.co:443", "https://hf.co:443"};

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool IsHubOrigin(const std::string& origin) {
  return std::find(std::begin(kHubOrigins), std::end(kHubOrigins), origin) != std::end(kHubOrigins);
}

Status Offline() {
  return MakeStatus(StatusCode::kUnavailable, "this was not read while online",
                    {.code = "offline", .next_step = "Try again without --offline."});
}

Status ForeignAnswer(const std::string& base, const std::string& origin) {
  return UnsafeRedirect(fmt::format("{} sends us to {} for its own facts", base, origin));
}

}  // namespace

std::string HubClient::base() const {
  std::string text = parts_.endpoint.text;
  while (text.ends_with('/')) text.pop_back();
  return text;
}

StatusOr<HttpResponse> HubClient::SendOnce(const Url& url, const Request& request,
                                           const BodyStream* stream, const CancelToken& cancel) {
  const bool own = url.SameOrigin(parts_.endpoint);
  RateGate& gate = parts_.gates->For(url.text);
  const RetryPolicy& patience =
      request.patience != nullptr ? *request.patience : parts_.metadata_retry;
  if (own) LLMD_RETURN_IF_ERROR(gate.Wait(patience, cancel));
  HttpRequest http{.url = url.text,
                   .headers = request.headers,
                   .bulk = request.bulk,
                   .fresh_connection = request.fresh_connection,
                   .max_body = request.max_body};
  if (own && has_token()) http.headers.push_back("Authorization: Bearer " + parts_.token);
  StatusOr<HttpResponse> response = parts_.transport->Perform(http, stream, cancel);
  if (own && response.ok()) {
    if (const auto exhausted = ExhaustedFor(*response)) gate.CloseFor(*exhausted);
  }
  return response;
}

StatusOr<Answer> HubClient::Send(const Request& request, const BodyStream* stream,
                                 const CancelToken& cancel) {
  if (parts_.offline) return Offline();
  BodyStream last_only;
  if (stream != nullptr) {
    last_only = {.on_head = [stream](const HttpResponse& head) -> StatusOr<bool> {
                   if (IsRedirect(head.status)) return false;
                   return stream->on_head(head);
                 },
                 .on_bytes = stream->on_bytes};
  }
  Url url = request.url;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    LLMD_ASSIGN_OR_RETURN(HttpResponse response,
                          SendOnce(url, request, stream == nullptr ? nullptr : &last_only, cancel));
    const std::string location = response.Header("location");
    if (!IsRedirect(response.status) || location.empty()) {
      return Answer{.response = std::move(response), .url = std::move(url)};
    }
    LLMD_ASSIGN_OR_RETURN(url, FollowReference(url, location));
    const bool trusted = url.SameOrigin(parts_.endpoint) || IsHubOrigin(url.Origin());
    if (!request.bulk && !trusted) return ForeignAnswer(base(), url.Origin());
  }
  return UnsafeRedirect(fmt::format("{} redirects more than {} times", base(), kMaxRedirects));
}

StatusOr<Answer> HubClient::Get(const Request& request, const Subject& subject,
                                const CancelToken& cancel) {
  for (Backoff backoff(parts_.metadata_retry);;) {
    StatusOr<Answer> answer = Send(request, nullptr, cancel);
    Status error = answer.status();
    std::optional<Duration> asked;
    if (answer.ok()) {
      const HttpResponse& response = answer->response;
      if (response.status >= 200 && response.status < 300) return answer;
      error = ErrorFromAnswer(response, subject);
      if (!IsRetryableHttpStatus(response.status)) return error;
      asked = AskedWait(response);
    } else if (!IsRetryable(error)) {
      return error;
    }
    LLMD_RETURN_IF_ERROR(backoff.WaitAfter(error, asked, cancel));
  }
}

}  // namespace llmd::hub
