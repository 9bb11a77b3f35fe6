#include "base/cancel.h"

#include <map>
#include <thread>
#include <utility>

#include "base/mutex.h"

namespace llmd {

namespace internal {

struct CancelState {
  Mutex mutex;
  CondVar changed;
  bool cancelled LLMD_GUARDED_BY(mutex) = false;
  unsigned long next_id LLMD_GUARDED_BY(mutex) = 1;
  std::map<unsigned long, std::function<void()>> callbacks LLMD_GUARDED_BY(mutex);
  unsigned long running LLMD_GUARDED_BY(mutex) = 0;  // id of the callback being called, 0 when none
  std::thread::id runner LLMD_GUARDED_BY(mutex);
};

}  // namespace internal

CancelRegistration::CancelRegistration(CancelRegistration&& other) noexcept
    : state_(std::move(other.state_)), id_(std::exchange(other.id_, 0)) {}

CancelRegistration& CancelRegistration::operator=(CancelRegistration&& other) noexcept {
  if (this != &other) {
    Release();
    state_ = std::move(other.state_);
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}

CancelRegistration::~CancelRegistration() { Release(); }

void CancelRegistration::Release() {
  if (!state_) return;
  MutexLock lock(state_->mutex);
  state_->callbacks.erase(id_);
  // A callback may destroy its own registration; only other threads wait for its end.
  while (state_->running == id_ && state_->runner != std::this_thread::get_id()) {
    state_->changed.Wait(state_->mutex);
  }
}

bool CancelToken::IsCancelled() const {
  if (!state_) return false;
  MutexLock lock(state_->mutex);
  return state_->cancelled;
}

Status CancelToken::Check() const { return IsCancelled() ? Cancelled() : OkStatus(); }

CancelRegistration CancelToken::OnCancel(std::function<void()> callback) const {
  if (!state_) return {};
  {
    MutexLock lock(state_->mutex);
    if (!state_->cancelled) {
      const unsigned long id = state_->next_id++;
      state_->callbacks.emplace(id, std::move(callback));
      return CancelRegistration(state_, id);
    }
  }
  callback();
  return {};
}

bool CancelToken::WaitFor(Duration duration) const {
  if (!state_) {
    std::this_thread::sleep_for(duration);
    return false;
  }
  const auto deadline = std::chrono::steady_clock::now() + duration;
  MutexLock lock(state_->mutex);
  while (!state_->cancelled) {
    if (!state_->changed.WaitUntil(state_->mutex, deadline)) break;
  }
  return state_->cancelled;
}

CancelSource::CancelSource() : state_(std::make_shared<internal::CancelState>()) {}

CancelSource::CancelSource(const CancelToken& parent) : CancelSource() {
  std::weak_ptr<internal::CancelState> weak = state_;
  parent_ = parent.OnCancel([weak] {
    if (auto state = weak.lock()) {
      CancelSource source;
      source.state_ = state;
      source.Cancel();
    }
  });
}

void CancelSource::Cancel() {
  internal::CancelState& state = *state_;
  state.mutex.Lock();
  // One thread calls the callbacks: a second one would hide from Release which is running.
  if (std::exchange(state.cancelled, true)) return state.mutex.Unlock();
  state.changed.NotifyAll();
  while (!state.callbacks.empty()) {
    auto node = state.callbacks.extract(state.callbacks.begin());
    state.running = node.key();
    state.runner = std::this_thread::get_id();
    state.mutex.Unlock();
    node.mapped()();
    state.mutex.Lock();
    state.running = 0;
    state.changed.NotifyAll();
  }
  state.mutex.Unlock();
}

CancelToken CancelSource::token() const { return CancelToken(state_); }

}  // namespace llmd
