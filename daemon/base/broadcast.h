// Broadcast<T>: one publisher side, any number of subscribers, each called for every value in the
// order of publication. Thread-safe. Callbacks run on the publishing thread, without any lock
// held, and must neither block nor publish; a subscriber that needs more time queues for itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace llmd {

template <typename T>
class Broadcast {
 public:
  using Callback = std::function<void(const T&)>;

  // Unsubscribes when destroyed. A publication that is under way on another thread may still call
  // the callback after that; a later one does not.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept { *this = std::move(other); }
    Subscription& operator=(Subscription&& other) noexcept {
      Reset();
      hub_ = std::exchange(other.hub_, nullptr);
      id_ = other.id_;
      return *this;
    }
    ~Subscription() { Reset(); }
    void Reset() {
      if (hub_ != nullptr) std::exchange(hub_, nullptr)->Unsubscribe(id_);
    }

   private:
    friend class Broadcast;
    Subscription(Broadcast* hub, uint64_t id) : hub_(hub), id_(id) {}
    Broadcast* hub_ = nullptr;
    uint64_t id_ = 0;
  };

  // The Broadcast must outlive its subscriptions.
  [[nodiscard]] Subscription Subscribe(Callback callback) {
    MutexLock lock(mutex_);
    const uint64_t id = next_id_++;
    subscribers_.emplace(id, std::make_shared<Callback>(std::move(callback)));
    return Subscription(this, id);
  }

  void Publish(const T& value) {
    MutexLock order(publishing_);  // keeps the order the same for every subscriber
    std::vector<std::shared_ptr<Callback>> targets;
    {
      MutexLock lock(mutex_);
      targets.reserve(subscribers_.size());
      for (const auto& [id, callback] : subscribers_) targets.push_back(callback);
    }
    for (const auto& callback : targets) (*callback)(value);
  }

 private:
  void Unsubscribe(uint64_t id) {
    MutexLock lock(mutex_);
    subscribers_.erase(id);
  }

  Mutex publishing_;
  Mutex mutex_;
  uint64_t next_id_ LLMD_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, std::shared_ptr<Callback>> subscribers_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd
