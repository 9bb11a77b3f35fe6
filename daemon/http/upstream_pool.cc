#include "http/upstream_pool.h"

#include <iterator>
#include <utility>

namespace llmd::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kMaxAge{4};
constexpr std::chrono::seconds kSweep{2};
// An endpoint: as many as may answer at once, else a burst closes what the next one connects again.
constexpr size_t kMaxIdle = 1024;

}  // namespace

UpstreamPool::UpstreamPool(asio::any_io_executor executor)
    : executor_(std::move(executor)), sweep_(executor_) {}

std::optional<Socket> UpstreamPool::Take(const Endpoint& endpoint) {
  const auto at = idle_.find(endpoint);
  if (at == idle_.end()) return std::nullopt;
  std::vector<Idle>& waiting = at->second;
  while (!waiting.empty()) {
    Idle last = std::move(waiting.back());
    waiting.pop_back();
    if (Clock::now() - last.since < kMaxAge && !IsStale(last.socket)) {
      return std::move(last.socket);
    }
  }
  return std::nullopt;
}

void UpstreamPool::Give(const Endpoint& endpoint, Socket socket) {
  if (closed_) return;
  std::vector<Idle>& waiting = idle_[endpoint];
  if (waiting.size() >= kMaxIdle) return;
  waiting.push_back({std::move(socket), Clock::now()});
  if (!sweeping_) ScheduleSweep();
}

void UpstreamPool::Close() {
  closed_ = true;
  idle_.clear();
  sweeping_ = false;
  sweep_.cancel();
}

void UpstreamPool::ScheduleSweep() {
  sweeping_ = true;
  sweep_.expires_after(kSweep);
  sweep_.async_wait([this](const ErrorCode& error) {
    if (error) return;
    sweeping_ = false;
    Sweep();
  });
}

void UpstreamPool::Sweep() {
  const auto now = Clock::now();
  for (auto at = idle_.begin(); at != idle_.end();) {
    std::erase_if(at->second, [now](const Idle& idle) { return now - idle.since >= kMaxAge; });
    at = at->second.empty() ? idle_.erase(at) : std::next(at);
  }
  if (!idle_.empty()) ScheduleSweep();
}

}  // namespace llmd::http
