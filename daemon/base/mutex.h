// std::mutex with clang's thread-safety annotations. Not absl::Mutex: ThreadSanitizer reports
// false races for Debian's uninstrumented build of it.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define LLMD_THREAD_ATTRIBUTE_(x) __attribute__((x))
#else
#define LLMD_THREAD_ATTRIBUTE_(x)
#endif

#define LLMD_CAPABILITY(x) LLMD_THREAD_ATTRIBUTE_(capability(x))
#define LLMD_SCOPED_CAPABILITY LLMD_THREAD_ATTRIBUTE_(scoped_lockable)
#define LLMD_GUARDED_BY(x) LLMD_THREAD_ATTRIBUTE_(guarded_by(x))
#define LLMD_REQUIRES(...) LLMD_THREAD_ATTRIBUTE_(requires_capability(__VA_ARGS__))
#define LLMD_EXCLUDES(...) LLMD_THREAD_ATTRIBUTE_(locks_excluded(__VA_ARGS__))
#define LLMD_ACQUIRE(...) LLMD_THREAD_ATTRIBUTE_(acquire_capability(__VA_ARGS__))
#define LLMD_RELEASE(...) LLMD_THREAD_ATTRIBUTE_(release_capability(__VA_ARGS__))
#define LLMD_NO_THREAD_SAFETY_ANALYSIS LLMD_THREAD_ATTRIBUTE_(no_thread_safety_analysis)

namespace llmd {

class LLMD_CAPABILITY("mutex") Mutex {
 public:
  void Lock() LLMD_ACQUIRE() { mutex_.lock(); }
  void Unlock() LLMD_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class LLMD_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LLMD_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() LLMD_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Condition variable for Mutex. Wait in a loop over the condition: wake-ups may be spurious.
class CondVar {
 public:
  void Wait(Mutex& mutex) LLMD_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when `deadline` passed without a notification.
  template <typename TimePoint>
  bool WaitUntil(Mutex& mutex, TimePoint deadline) LLMD_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool notified = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return notified;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace llmd
