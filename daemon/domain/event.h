// The one typed event stream of the daemon (see base/broadcast.h): every change of a model, a
// server, a job or the memory ledger, published by whoever makes it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/broadcast.h"
#include "domain/states.h"

namespace llmd {

struct ModelChanged {
  ModelRecord model;
};
struct ModelRemoved {
  std::string name;
};
struct ServerChanged {
  ServerRecord server;
};
struct JobChanged {
  JobEventRecord event;
};
struct MemoryChanged {
  int64_t capacity_bytes = 0;
  int64_t reserved_bytes = 0;
};

using Event = std::variant<ModelChanged, ModelRemoved, ServerChanged, JobChanged, MemoryChanged>;
using EventStream = Broadcast<Event>;

}  // namespace llmd
