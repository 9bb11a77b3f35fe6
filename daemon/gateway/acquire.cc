#include "gateway/acquire.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/mutex.h"

namespace llmd::gateway {
namespace {

namespace asio = http::asio;
using serving::Lease;

// Between the router's threads and the waiting coroutine, which may be gone when the answer comes.
class Answer : public std::enable_shared_from_this<Answer> {
 public:
  explicit Answer(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // From any thread.
  void Arrived(StatusOr<Lease> lease) {
    if (std::this_thread::get_id() == owner_) return Put(std::move(lease));
    MutexLock lock(mutex_);
    if (!awaited_) return;
    auto held = std::make_shared<StatusOr<Lease>>(std::move(lease));
    asio::post(executor_, [self = shared_from_this(), held] { self->Put(std::move(*held)); });
  }

  // On the io thread.
  bool has_arrived() const { return lease_.has_value(); }
  asio::awaitable<StatusOr<Lease>> Wait() {
    if (!lease_) {
      timer_.emplace(executor_, asio::steady_timer::time_point::max());
      while (!lease_) co_await timer_->async_wait(http::kAwait);
    }
    co_return *std::move(lease_);
  }
  // The router may keep this object for longer than the io thread lives; its timer must not.
  void Abandon() {
    timer_.reset();
    MutexLock lock(mutex_);
    awaited_ = false;
  }

 private:
  void Put(StatusOr<Lease> lease) {
    lease_.emplace(std::move(lease));
    if (timer_) timer_->cancel();
  }

  const asio::any_io_executor executor_;
  const std::thread::id owner_ = std::this_thread::get_id();
  std::optional<StatusOr<Lease>> lease_;
  std::optional<asio::steady_timer> timer_;
  Mutex mutex_;
  bool awaited_ LLMD_GUARDED_BY(mutex_) = true;
};

struct AbandonAtEnd {
  explicit AbandonAtEnd(Answer& answer_in) : answer(answer_in) {}
  ~AbandonAtEnd() { answer.Abandon(); }
  Answer& answer;
};

Status StillLoading(std::string_view name) {
  return MakeStatus(StatusCode::kUnavailable, fmt::format("{} is still loading", name),
                    {.code = "model_loading", .next_step = "Try again in a moment."});
}

}  // namespace

asio::awaitable<StatusOr<Lease>> AcquireLease(Call& call, std::string name) {
  CancelSource cancel;
  const InterruptScope scope(call, [&cancel] { cancel.Cancel(); });
  const auto answer = std::make_shared<Answer>(call.client.executor());
  const AbandonAtEnd abandon(*answer);
  call.gateway.parts.router.Acquire(
      name, cancel.token(), [answer](StatusOr<Lease> lease) { answer->Arrived(std::move(lease)); });
  std::optional<http::Deadline> deadline;
  if (!answer->has_arrived()) {
    deadline.emplace(call.client.executor(), [&cancel] { cancel.Cancel(); });
    deadline->Set(call.gateway.options.limits.load);
  }
  StatusOr<Lease> lease = co_await answer->Wait();
  if (lease.ok()) {
    call.model = lease->target().model;
  } else if (!call.interrupted() && deadline && deadline->expired()) {
    co_return StillLoading(name);
  }
  co_return lease;
}

}  // namespace llmd::gateway
