// HttpHub: repositories over HTTP, all through one transport. Thread-safe; outlives the repositories
// that it opens no longer than they need it (they share its transport).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "hub/http_transport.h"
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

 private:
  std::shared_ptr<RateGate> GateFor(const std::string& endpoint);

  const HubSettings settings_;
  const RetryPolicy metadata_retry_;
  const RetryPolicy download_retry_;
  const Environment environment_;
  const std::shared_ptr<HttpTransport> transport_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<RateGate>> gates_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::hub
