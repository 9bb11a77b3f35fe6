// How much memory a model takes while it serves here, where that memory is, with how much context,
// and whether it fits. All of it is an estimate; `basis` says from what. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/plan.h"
#include "planner/engine_fit.h"

namespace llmd::planner {

struct MemoryEstimate {
  int64_t weights_bytes = 0;  // as loaded
  int64_t kv_bytes_per_token = 0;
  int64_t kv_bytes = 0;         // for context x parallel
  int64_t work_bytes = 0;       // of requests
  int64_t process_bytes = 0;    // before a weight is read
  int64_t required_bytes = 0;   // the sum
  int64_t device_bytes = 0;     // of it where the model computes
  int64_t host_bytes = 0;       // of it in main memory; all of it without a GPU
  int64_t context = 0;          // 0: there is no such thing
  int64_t largest_context = 0;  // that fits; 0: none does, or there is no such thing
  int parallel = 1;
  bool on_gpu = false;
  bool offload = false;     // parts of a pipeline wait in main memory
  std::string fits = "no";  // yes | tight | no
  std::string refusal;      // with figures, when it does not fit
  std::vector<std::string> basis;
};

// `fit` must have an engine that serves the model.
MemoryEstimate EstimateMemory(const Subject& subject, const Wish& wish, const EngineFit& fit);

}  // namespace llmd::planner
