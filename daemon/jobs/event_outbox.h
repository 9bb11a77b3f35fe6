// EventOutbox: publishes job events in the order in which they were added, whatever thread added
// them. Thread-safe.
#pragma once

#include <deque>
#include <utility>

#include "base/mutex.h"
#include "domain/event.h"

namespace llmd::jobs {

class EventOutbox {
 public:
  explicit EventOutbox(EventStream& events) : events_(events) {}

  // Cheap; publishes nothing, so that it may be called under a lock.
  void Add(JobEventRecord event) {
    MutexLock lock(mutex_);
    waiting_.push_back(std::move(event));
  }

  // Publishes what waits, with no lock held. Where another thread is at it already, that one takes
  // the new events along and this call returns at once.
  void Flush() {
    mutex_.Lock();
    if (std::exchange(flushing_, true)) return mutex_.Unlock();
    while (!waiting_.empty()) {
      const JobChanged change{std::move(waiting_.front())};
      waiting_.pop_front();
      mutex_.Unlock();
      events_.Publish(change);
      mutex_.Lock();
    }
    flushing_ = false;
    mutex_.Unlock();
  }

 private:
  EventStream& events_;
  Mutex mutex_;
  std::deque<JobEventRecord> waiting_ LLMD_GUARDED_BY(mutex_);
  bool flushing_ LLMD_GUARDED_BY(mutex_) = false;
};

}  // namespace llmd::jobs
