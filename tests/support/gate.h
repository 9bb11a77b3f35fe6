// Gate: opens once; whoever waits goes on then. Thread-safe.
#pragma once

#include "base/mutex.h"

namespace llmd::testing {

class Gate {
 public:
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  void Wait() {
    MutexLock lock(mutex_);
    while (!open_) changed_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ LLMD_GUARDED_BY(mutex_) = false;
};

}  // namespace llmd::testing
