// Where on this machine a model can be put, and how much room there is. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/machine.h"
#include "planner/memory_demand.h"

namespace llmd::planner {

// Memory that a process may fill: all that is not the system's, and what of it is free now.
struct Room {
  int64_t total = 0;
  int64_t available = 0;
  std::string name;  // "memory", "NVIDIA RTX 4090", "2 GPUs"
};

struct Place {
  Room device;           // where weights, cache and work are
  Room host;             // main memory, which is `device` itself without a GPU
  bool on_gpu = false;   // a GPU with memory of its own
  bool offload = false;  // parts of a pipeline wait in main memory

  int64_t DeviceNeed(const MemoryDemand& demand, int64_t context, int parallel) const;
  int64_t HostNeed(const MemoryDemand& demand, int64_t context, int parallel) const;
  bool Fits(const MemoryDemand& demand, int64_t context, int parallel) const;
};

// Every place that the engine can use, the best first; never empty.
std::vector<Place> FindPlaces(const EngineSpec& engine, const MachineFacts& machine);

}  // namespace llmd::planner
