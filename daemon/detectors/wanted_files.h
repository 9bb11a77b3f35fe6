// Which files of a repository are worth reading, decided from its inventory alone. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/facts.h"

namespace llmd::detectors {

// A weight file below this is read whole.
inline constexpr int64_t kTinyWeights = 1'024;

struct WantedFiles {
  std::vector<std::string> json;  // small JSON documents
  std::vector<std::string> text;  // chat templates
  // Safetensors files whose headers are read: the root's checkpoint, and one a pipeline's folder.
  std::vector<std::string> root_headers;
  bool root_whole = true;  // root_headers are all shards
  std::vector<std::string> part_headers;
  std::vector<std::string> ggufs;       // candidates, the preferred first
  std::vector<std::string> projectors;  // mmproj files, the preferred first
  // Weight files so small that something else may stand in their place.
  std::vector<std::string> tiny_weights;
};

// `facts` has info, inventory and weights. `asked` are documents that rules name.
WantedFiles ChooseFiles(const Facts& facts, const std::vector<std::string>& asked);

}  // namespace llmd::detectors
