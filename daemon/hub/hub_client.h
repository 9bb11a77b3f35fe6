// HubClient: requests to one endpoint as one caller. Follows redirects by hand, so that the token
// goes to the endpoint's own origin and nowhere else, and tries again what may succeed later.
// Offline it makes no request: each fails with kUnavailable (code "offline").
// Thread-safe. Owned by the repository that uses it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "hub/http_transport.h"
#include "hub/hub_error.h"
#include "hub/retry.h"
#include "hub/url.h"

namespace llmd::hub {

// One answer and the address it came from.
struct Answer {
  HttpResponse response;
  Url url;
};

class HubClient {
 public:
  struct Parts {
    std::shared_ptr<HttpTransport> transport;
    std::shared_ptr<RateGates> gates;
    Url endpoint;
    std::string token;
    bool offline = false;
    RetryPolicy metadata_retry;
    RetryPolicy download_retry;
  };
  explicit HubClient(Parts parts) : parts_(std::move(parts)) {}

  const Url& endpoint() const { return parts_.endpoint; }
  // Without a slash at the end.
  std::string base() const;
  bool has_token() const { return !parts_.token.empty(); }
  bool offline() const { return parts_.offline; }
  const RetryPolicy& metadata_retry() const { return parts_.metadata_retry; }
  const RetryPolicy& download_retry() const { return parts_.download_retry; }

  struct Request {
    Url url;
    std::vector<std::string> headers;
    bool bulk = false;  // file contents, which may come from another origin
    bool fresh_connection = false;
    size_t max_body = 1u << 20;
    const RetryPolicy* patience = nullptr;  // how long to wait for a new quota; null: metadata's
  };

  // One try, up to 10 redirects; the answer may have any status. A stream sees the last answer
  // only. kFailedPrecondition (code "unsafe_redirect").
  StatusOr<Answer> Send(const Request& request, const BodyStream* stream,
                        const CancelToken& cancel);

  // A small answer with status 2xx; anything else is an error about `subject`. Tries again.
  StatusOr<Answer> Get(const Request& request, const Subject& subject, const CancelToken& cancel);

 private:
  StatusOr<HttpResponse> SendOnce(const Url& url, const Request& request, const BodyStream* stream,
                                  const CancelToken& cancel);

  const Parts parts_;
};

}  // namespace llmd::hub
