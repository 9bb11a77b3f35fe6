#include "scheduler/memory_ledger.h"

#include <algorithm>

#include "base/format.h"

namespace llmd::scheduler {

int64_t MemoryLedger::reserved_bytes() const {
  int64_t sum = 0;
  for (const auto& [id, reservation] : reservations_) sum += reservation.memory_bytes;
  return sum;
}

int MemoryLedger::reserved_threads() const {
  int sum = 0;
  for (const auto& [id, reservation] : reservations_) sum += reservation.threads;
  return sum;
}

std::string MemoryLedger::Holders() const {
  std::string text;
  for (const auto& [id, reservation] : reservations_) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", id,
                        FormatBytes(reservation.memory_bytes));
  }
  return text.empty() ? "no other model" : text;
}

StatusOr<MemoryLedger::Reservation> MemoryLedger::Reserve(std::string_view id,
                                                          int64_t memory_bytes) {
  Release(id);
  const int64_t free = capacity_.memory_bytes - reserved_bytes();
  if (memory_bytes > free) {
    return MakeStatus(
        StatusCode::kResourceExhausted,
        fmt::format("{} needs {} of memory (estimate), {} of {} are free; reserved by {}", id,
                    FormatBytes(memory_bytes), FormatBytes(std::max<int64_t>(free, 0)),
                    FormatBytes(capacity_.memory_bytes), Holders()),
        {.code = "does_not_fit",
         .next_step = "Stop a running model (llmctl ps, llmctl stop NAME), or lower 'context' in "
                      "the model's config.yaml."});
  }
  const int free_threads = std::max(0, capacity_.cpus - reserved_threads());
  const Reservation reservation{.memory_bytes = memory_bytes,
                                .threads = std::max(1, (free_threads + 1) / 2)};
  reservations_[std::string(id)] = reservation;
  return reservation;
}

void MemoryLedger::Restore(std::string_view id, Reservation reservation) {
  reservations_[std::string(id)] = reservation;
}

void MemoryLedger::Release(std::string_view id) {
  if (const auto at = reservations_.find(id); at != reservations_.end()) reservations_.erase(at);
}

}  // namespace llmd::scheduler
