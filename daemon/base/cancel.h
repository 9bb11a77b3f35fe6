// Cancellation: one source asks, any number of tokens hear it. gRPC cancel, Ctrl-C, `jobs cancel`
// and shutdown all end in one of these. Thread-safe.
//
//   CancelSource source;
//   Work(source.token());        // elsewhere: source.Cancel();
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/status.h"

namespace llmd {

namespace internal {
struct CancelState;
}

// Keeps a callback registered; destroying it takes the callback away (and waits for it when it is
// running on another thread).
class CancelRegistration {
 public:
  CancelRegistration() = default;
  CancelRegistration(CancelRegistration&&) noexcept;
  CancelRegistration& operator=(CancelRegistration&&) noexcept;
  ~CancelRegistration();

 private:
  friend class CancelToken;
  CancelRegistration(std::shared_ptr<internal::CancelState> state, unsigned long id)
      : state_(std::move(state)), id_(id) {}
  void Release();
  std::shared_ptr<internal::CancelState> state_;
  unsigned long id_ = 0;
};

class CancelToken {
 public:
  CancelToken() = default;  // never cancelled

  bool IsCancelled() const;
  // OK, or kCancelled.
  Status Check() const;
  // Calls `callback` once when cancellation is asked for, on the asking thread; at once, here, when
  // that has happened already. The callback must not block.
  [[nodiscard]] CancelRegistration OnCancel(std::function<void()> callback) const;
  // Waits up to `duration`; true when cancelled.
  bool WaitFor(Duration duration) const;

 private:
  friend class CancelSource;
  explicit CancelToken(std::shared_ptr<internal::CancelState> state) : state_(std::move(state)) {}
  std::shared_ptr<internal::CancelState> state_;
};

class CancelSource {
 public:
  CancelSource();
  // A source that is cancelled when `parent` is.
  explicit CancelSource(const CancelToken& parent);
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;

  // Calls the callbacks, unless an earlier call has done so or is at it on another thread.
  void Cancel();
  CancelToken token() const;

 private:
  std::shared_ptr<internal::CancelState> state_;
  CancelRegistration parent_;
};

}  // namespace llmd
