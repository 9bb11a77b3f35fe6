#include "rpc/work_pool.h"

#include <string>
#include <utility>

namespace llmd::rpc {

WorkPool::WorkPool(size_t threads, size_t max_waiting) : max_waiting_(max_waiting) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back("rpc-work-" + std::to_string(i), [this] { Loop(); });
  }
}

WorkPool::~WorkPool() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    wake_.NotifyAll();
  }
  threads_.clear();
}

bool WorkPool::Run(std::function<void()> work) {
  MutexLock lock(mutex_);
  if (ending_ || queue_.size() >= max_waiting_) return false;
  queue_.push_back(std::move(work));
  wake_.NotifyOne();
  return true;
}

void WorkPool::Loop() {
  for (;;) {
    std::function<void()> work;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !ending_) wake_.Wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

Status BusyStatus() {
  return MakeStatus(StatusCode::kResourceExhausted, "llmd has too many calls waiting",
                    {.code = "busy", .next_step = "Try again in a moment."});
}

}  // namespace llmd::rpc
