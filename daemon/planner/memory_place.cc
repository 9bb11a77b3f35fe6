#include "planner/memory_place.h"

#include <algorithm>

#include <fmt/core.h>

#include "planner/saturating.h"

namespace llmd::planner {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;
// The CUDA context of a process, on each GPU.
constexpr int64_t kGpuContextBytes = 500 * kMiB;
// Kept free for the system and everybody else, at most.
constexpr int64_t kSystemReserve = 1024 * kMiB;

Room MainMemory(const MachineFacts& machine) {
  const int64_t reserve = std::min(kSystemReserve, machine.memory_bytes / 8);
  return {.total = std::max<int64_t>(machine.memory_bytes - reserve, 0),
          .available = machine.memory_available_bytes,
          .name = "memory"};
}

Room UnifiedMemory(const MachineFacts& machine) {
  // What Metal lets a process wire down; the rest is the system's.
  return {.total = machine.memory_bytes / 4 * 3,
          .available = machine.memory_available_bytes,
          .name = "unified memory"};
}

Room GpuRoom(const GpuFacts& gpu) {
  const int64_t bytes = std::max<int64_t>(gpu.memory_bytes - kGpuContextBytes, 0);
  return {.total = bytes, .available = bytes, .name = gpu.name};
}

std::vector<Place> CudaPlaces(const EngineSpec& engine, const MachineFacts& machine) {
  Room largest;
  Room all;
  int count = 0;
  for (const GpuFacts& gpu : machine.gpus) {
    if (gpu.vendor != "nvidia") continue;
    const Room room = GpuRoom(gpu);
    all.total = Plus(all.total, room.total);
    if (room.total > largest.total) largest = room;
    ++count;
  }
  all.available = all.total;
  all.name = fmt::format("memory of {} GPUs", count);
  const Room host = MainMemory(machine);
  std::vector<Place> places = {{.device = largest, .host = host, .on_gpu = true}};
  if (count > 1) places.push_back({.device = all, .host = host, .on_gpu = true});
  if (engine.offload) {
    places.push_back({.device = largest, .host = host, .on_gpu = true, .offload = true});
  }
  return places;
}

}  // namespace

int64_t Place::DeviceNeed(const MemoryDemand& demand, int64_t context, int parallel) const {
  if (!on_gpu) return demand.Total(context, parallel);
  return Plus(offload ? demand.largest_part() : demand.weights(),
              Plus(demand.Cache(context, parallel), demand.Work(context, parallel)));
}

int64_t Place::HostNeed(const MemoryDemand& demand, int64_t context, int parallel) const {
  if (!on_gpu) return demand.Total(context, parallel);
  return offload ? Plus(demand.process(), demand.weights()) : demand.process();
}

bool Place::Fits(const MemoryDemand& demand, int64_t context, int parallel) const {
  return DeviceNeed(demand, context, parallel) <= device.total &&
         HostNeed(demand, context, parallel) <= host.total;
}

std::vector<Place> FindPlaces(const EngineSpec& engine, const MachineFacts& machine) {
  const auto& uses = engine.weights_on_gpu;
  const std::string_view gpu = GpuOf(machine);
  const bool used = std::find(uses.begin(), uses.end(), gpu) != uses.end();
  std::vector<Place> places;
  if (used && gpu == "metal") {
    const Room unified = UnifiedMemory(machine);
    return {{.device = unified, .host = unified}};
  }
  if (used && gpu == "cuda") places = CudaPlaces(engine, machine);
  // An engine that needs a GPU has no other place.
  if (engine.gpu.empty() || places.empty()) {
    const Room memory = MainMemory(machine);
    places.push_back({.device = memory, .host = memory});
  }
  return places;
}

}  // namespace llmd::planner
