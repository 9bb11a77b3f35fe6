// HttpHub: repositories over HTTP, all through one transport. Thread-safe; outlives the
// repositories that it opens no longer than they need it (they share its transport).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "hub/http_repository.h"
#include "hub/http_transport.h"
#include "hub/hub_client.h"
#include "hub/metadata_cache.h"
#include "hub/repository.h"
#include "hub/retry.h"
#include "hub/settings.h"

namespace llmd::hub {

class HttpHub final : public Hub {
 public:
  HttpHub(HubSettings settings, RetryPolicy metadata_retry, RetryPolicy download_retry,
          Environment environment);

  StatusOr<std::unique_ptr<Repository>> Open(const RepositoryRequest& request,
                                             const CancelToken& cancel) override;
  // What earlier checks kept, without a request; kNotFound (code "not_cached").
  StatusOr<std::unique_ptr<HttpRepository>> OpenOffline(const RepositoryRequest& request);

 private:
  std::shared_ptr<RateGates> GatesFor(const std::string& endpoint);
  // A client for this caller.
  StatusOr<HubClient::Parts> PartsFor(const RepositoryRequest& request);

  const HubSettings settings_;
  const RetryPolicy metadata_retry_;
  const RetryPolicy download_retry_;
  const Environment environment_;
  const std::shared_ptr<HttpTransport> transport_;
  const MetadataCache cache_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<RateGates>> gates_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::hub
