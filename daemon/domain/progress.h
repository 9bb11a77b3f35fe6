// Progress of long work, told by steps and shown by whoever watches. Plain data.
#pragma once

#include <cstdint>
#include <functional>

namespace llmd {

struct Progress {
  int64_t bytes_done = 0;
  int64_t bytes_total = 0;
};

// Called from the working thread, often; must be cheap and not block.
using ProgressSink = std::function<void(const Progress&)>;

}  // namespace llmd
