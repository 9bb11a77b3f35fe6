// StreamRegistry: the open server streams, so that a shutdown can end them with a reason before
// gRPC cuts them off. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace llmd::rpc {

class StreamRegistry {
 public:
  // Remembers a ServerStream<T> for as long as it lives. False, with the stream closed, when a
  // shutdown has begun.
  template <typename Stream>
  bool Add(const std::shared_ptr<Stream>& stream) {
    const std::weak_ptr<Stream> weak = stream;
    const bool open = Remember({weak, [weak](const Status& status) {
                                  if (const auto held = weak.lock()) held->Close(status);
                                }});
    if (!open) stream->Close(ShuttingDown());
    return open;
  }

  // Ends all streams, and every one added later.
  void CloseAll();

 private:
  struct Open {
    std::weak_ptr<void> stream;
    std::function<void(const Status&)> close;
  };
  // kUnavailable, code "shutting_down".
  static Status ShuttingDown();
  bool Remember(Open open);

  Mutex mutex_;
  std::vector<Open> open_ LLMD_GUARDED_BY(mutex_);
  size_t sweep_at_ LLMD_GUARDED_BY(mutex_) = 64;
  bool closed_ LLMD_GUARDED_BY(mutex_) = false;
};

}  // namespace llmd::rpc
