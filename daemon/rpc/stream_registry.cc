#include "rpc/stream_registry.h"

#include <algorithm>
#include <utility>

namespace llmd::rpc {

Status StreamRegistry::ShuttingDown() {
  return MakeStatus(StatusCode::kUnavailable, "llmd is shutting down",
                    {.code = "shutting_down", .next_step = "Try again when it is back."});
}

bool StreamRegistry::Remember(Open open) {
  MutexLock lock(mutex_);
  if (closed_) return false;
  if (open_.size() >= sweep_at_) {
    std::erase_if(open_, [](const Open& one) { return one.stream.expired(); });
    sweep_at_ = std::max<size_t>(64, open_.size() * 2);
  }
  open_.push_back(std::move(open));
  return true;
}

void StreamRegistry::CloseAll() {
  std::vector<Open> open;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    open.swap(open_);
  }
  for (const Open& one : open) one.close(ShuttingDown());
}

}  // namespace llmd::rpc
