// When to ask again: back-off with jitter, waits that the server asks for, and the gate that holds
// back all requests to an endpoint whose quota is used up.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace llmd::hub {

struct HttpResponse;

struct RetryPolicy {
  int attempts = 5;                       // tries in all
  std::chrono::milliseconds first{1000};  // doubled after each try, with jitter
  std::chrono::milliseconds longest{8000};
  std::chrono::seconds longest_asked{330};  // who asks for more is believed, and given up
  // Waits; true when cancelled. Empty: CancelToken::WaitFor. Tests record the durations instead.
  std::function<bool(Duration, const CancelToken&)> wait;
};

// Waits with the policy's function. kCancelled when cancelled.
Status WaitCancellable(const RetryPolicy& policy, Duration duration, const CancelToken& cancel);

// 408, 429 and 5xx.
bool IsRetryableHttpStatus(int status);
// Connections that failed, broke or stalled; answers that the server may give better next time.
bool IsRetryable(const Status& status);

// How long the server wants us to wait: RateLimit with r=0 (t + 1 s), else Retry-After in seconds.
std::optional<Duration> AskedWait(const HttpResponse& response);
// The same, only from a RateLimit header that says the quota is used up.
std::optional<Duration> ExhaustedFor(const HttpResponse& response);

// The tries of one operation. Not thread-safe.
class Backoff {
 public:
  explicit Backoff(const RetryPolicy& policy) : policy_(policy) {}

  // Progress was made: the tries are counted anew.
  void Reset() { tries_ = 0; }
  // Waits before the next try; `error` when there is none left, kCancelled when cancelled.
  Status WaitAfter(const Status& error, std::optional<Duration> asked, const CancelToken& cancel);

 private:
  const RetryPolicy& policy_;
  int tries_ = 0;
};

// Shared by all requests of one class to one endpoint. Thread-safe.
class RateGate {
 public:
  void CloseFor(Duration duration);
  Status Wait(const RetryPolicy& policy, const CancelToken& cancel);

 private:
  Mutex mutex_;
  SteadyTime open_at_ LLMD_GUARDED_BY(mutex_){};
};

// The Hub counts files (addresses with /resolve) and everything else apart.
struct RateGates {
  RateGate files;
  RateGate api;
  RateGate& For(std::string_view url) {
    return url.find("/resolve") == std::string_view::npos ? api : files;
  }
};

}  // namespace llmd::hub
