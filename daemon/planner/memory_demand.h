// What a model takes while it serves, wherever that is: weights, cache, work on requests, the
// process. Estimated from headers and configuration. Pure; no figure overflows, all are at most
// 2^62.
#pragma once

#include <cstdint>
#include <string>

#include "domain/facts.h"
#include "planner/engine_fit.h"

namespace llmd::planner {

class MemoryDemand {
 public:
  // `fit` must have an engine that serves the model. `on_gpu`: a GPU with memory of its own
  // computes. Everything must outlive the demand.
  MemoryDemand(const Subject& subject, const EngineFit& fit, bool on_gpu);

  int64_t weights() const { return weights_; }  // as loaded
  // The largest part of a pipeline; all weights of anything else.
  int64_t largest_part() const { return largest_part_; }
  const std::string& largest_part_name() const { return largest_part_name_; }
  bool weights_from_headers() const { return weights_from_headers_; }
  int64_t process() const;

  bool KeepsCache() const;
  // Of `parallel` sequences of `context` tokens.
  int64_t Cache(int64_t context, int parallel) const;
  // What one more token takes at this context.
  int64_t CachePerToken(int64_t context) const;
  int64_t Work(int64_t context, int parallel) const;
  int64_t Total(int64_t context, int parallel) const;
  // Where the architecture was read; empty: it is not known.
  std::string architecture_source() const;

 private:
  int64_t WeightsAsLoaded(int64_t on_disk) const;
  // Bytes in memory for a byte on disk, of weights that are not packed.
  double Widening() const;
  int64_t KeptParameters(int64_t parameters) const;
  void FindLargestPart();

  const Subject& subject_;
  const EngineFit& fit_;
  const bool on_gpu_;
  const ArchitectureFacts* architecture_ = nullptr;  // null: not known
  int64_t weights_ = 0;
  int64_t largest_part_ = 0;
  std::string largest_part_name_;
  bool weights_from_headers_ = false;
};

// The cache that `context` tokens of one sequence take.
int64_t CacheBytes(const ArchitectureFacts& architecture, int64_t context,
                   int64_t bytes_per_element);

}  // namespace llmd::planner
