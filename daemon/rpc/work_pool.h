// WorkPool: a few threads for RPCs that wait for a disk or a network, so that gRPC's own threads
// never do. Bounded: when too much is waiting, new work is refused. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/thread.h"

namespace llmd::rpc {

class WorkPool {
 public:
  explicit WorkPool(size_t threads, size_t max_waiting = 256);
  // Runs what is queued, then joins.
  ~WorkPool();

  // False when the queue is full or the pool is ending; `work` is then not run.
  [[nodiscard]] bool Run(std::function<void()> work);

 private:
  void Loop();

  const size_t max_waiting_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ LLMD_GUARDED_BY(mutex_);
  bool ending_ LLMD_GUARDED_BY(mutex_) = false;
  std::vector<JoiningThread> threads_;
};

// What a call gets that the pool would not take: kResourceExhausted, code "busy".
Status BusyStatus();

}  // namespace llmd::rpc
