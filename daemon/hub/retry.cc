#include "hub/retry.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <string>
#include <string_view>

#include "base/logging.h"
#include "hub/http_transport.h"

namespace llmd::hub {
namespace {

// The number after `key` in `text`, such as 55 for "t=" in `"api";r=0;t=55`.
std::optional<int> Parameter(std::string_view text, std::string_view key) {
  for (size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    if (at > 0 && text[at - 1] != ';' && text[at - 1] != ' ') continue;
    int value = 0;
    const char* begin = text.data() + at + key.size();
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
    if (error == std::errc() && end != begin && value >= 0) return value;
  }
  return std::nullopt;
}

std::chrono::milliseconds WithJitter(std::chrono::milliseconds delay) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto low = delay.count() / 2;
  return std::chrono::milliseconds(
      std::uniform_int_distribution<long>(low, std::max(low, delay.count()))(random));
}

}  // namespace

Status WaitCancellable(const RetryPolicy& policy, Duration duration, const CancelToken& cancel) {
  const bool cancelled = policy.wait ? policy.wait(duration, cancel) : cancel.WaitFor(duration);
  return cancelled ? Cancelled() : cancel.Check();
}

bool IsRetryableHttpStatus(int status) {
  return status == 408 || status == 429 || (status >= 500 && status <= 599 && status != 501);
}

bool IsRetryable(const Status& status) {
  if (status.code() != StatusCode::kUnavailable) return false;
  const std::string code = GetErrorInfo(status).code;
  return code != "tls_untrusted" && code != "offline";
}

std::optional<Duration> ExhaustedFor(const HttpResponse& response) {
  const std::string limit = response.Header("ratelimit");
  if (limit.empty() || Parameter(limit, "r=") != 0) return std::nullopt;
  const std::optional<int> seconds = Parameter(limit, "t=");
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(*seconds) + std::chrono::seconds(1);
}

std::optional<Duration> AskedWait(const HttpResponse& response) {
  if (auto exhausted = ExhaustedFor(response)) return exhausted;
  const std::string after = response.Header("retry-after");
  int seconds = 0;
  const auto [end, error] = std::from_chars(after.data(), after.data() + after.size(), seconds);
  if (after.empty() || error != std::errc() || end != after.data() + after.size() || seconds < 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(seconds);
}

namespace {

Status AskedTooMuch(const Status& error, Duration asked) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(asked).count();
  return WithInfo(error, {.code = GetErrorInfo(error).code,
                          .next_step = fmt::format("Try again in {} seconds.", seconds)});
}

}  // namespace

Status Backoff::WaitAfter(const Status& error, std::optional<Duration> asked,
                          const CancelToken& cancel) {
  ++tries_;
  if (tries_ >= policy_.attempts) return error;
  if (asked && *asked > policy_.longest_asked) return AskedTooMuch(error, *asked);
  const int doublings = std::min(tries_ - 1, 16);
  const auto usual = WithJitter(std::min(policy_.longest, policy_.first * (1 << doublings)));
  Log("hub").Info("trying again", {{"try", std::to_string(tries_ + 1)}, {"after", Message(error)}});
  return WaitCancellable(policy_, asked.value_or(usual), cancel);
}

void RateGate::CloseFor(Duration duration) {
  const SteadyTime until = std::chrono::steady_clock::now() + duration;
  MutexLock lock(mutex_);
  open_at_ = std::max(open_at_, until);
}

Status RateGate::Wait(const RetryPolicy& policy, const CancelToken& cancel) {
  Duration left{};
  {
    MutexLock lock(mutex_);
    left = open_at_ - std::chrono::steady_clock::now();
  }
  if (left <= Duration::zero()) return cancel.Check();
  if (left > policy.longest_asked) {
    return AskedTooMuch(MakeStatus(StatusCode::kUnavailable, "the Hub's request quota is used up",
                                   {.code = "rate_limited"}),
                        left);
  }
  Log("hub").Info("waiting for a new request quota");
  return WaitCancellable(policy, left, cancel);
}

}  // namespace llmd::hub
