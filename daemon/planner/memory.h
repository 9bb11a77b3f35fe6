// How much memory a model takes while it serves, where that memory is, and whether it fits. All of
// it is an estimate from headers and configuration; `basis` says from what. Pure.
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
  int64_t kv_bytes = 0;  // for context x parallel
  int64_t activation_bytes = 0;
  int64_t process_bytes = 0;
  int64_t required_bytes = 0;  // the sum
  int64_t host_bytes = 0;      // of it in main memory; all of it without a GPU
  int64_t context = 0;
  int64_t largest_context = 0;  // that fits; 0: none does, or there is no such thing
  int parallel = 1;
  bool on_gpu = false;
  std::string fits = "no";  // yes | tight | no
  std::string refusal;      // with figures, when it does not fit
  std::vector<std::string> basis;
};

// `fit` must have an engine that serves the model.
MemoryEstimate EstimateMemory(const Subject& subject, const Wish& wish, const EngineFit& fit);

// The cache that `context` tokens of one sequence take. Never overflows: the result is at most
// 2^62.
int64_t CacheBytes(const ArchitectureFacts& architecture, int64_t context,
                   int64_t bytes_per_element);

}  // namespace llmd::planner
