// MemoryLedger: who has reserved how much memory and how many CPU threads. Pure bookkeeping: no
// threads, no clock, no measuring. Not thread-safe; its owner (serving) holds a lock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::scheduler {

struct LedgerCapacity {
  int64_t memory_bytes = 0;
  int cpus = 1;
};

class MemoryLedger {
 public:
  struct Reservation {
    int64_t memory_bytes = 0;
    int threads = 1;
  };

  explicit MemoryLedger(LedgerCapacity capacity) : capacity_(capacity) {}

  // Admits `id` or refuses: kResourceExhausted (code "does_not_fit") with what is needed, free and
  // held by whom. Threads are half of the free cores, at least one: the first server leaves room
  // for the next. Reserving an id again replaces its reservation.
  StatusOr<Reservation> Reserve(std::string_view id, int64_t memory_bytes);
  // For a server that runs already (re-adoption): always succeeds.
  void Restore(std::string_view id, Reservation reservation);
  void Release(std::string_view id);

  const LedgerCapacity& capacity() const { return capacity_; }
  int64_t reserved_bytes() const;
  int reserved_threads() const;

 private:
  std::string Holders() const;

  LedgerCapacity capacity_;
  std::map<std::string, Reservation, std::less<>> reservations_;
};

}  // namespace llmd::scheduler
