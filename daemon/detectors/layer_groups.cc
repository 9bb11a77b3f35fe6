#include "detectors/layer_groups.h"

namespace llmd::detectors {

void AddGroup(ArchitectureFacts& facts, LayerGroup group) {
  if (group.layers <= 0) return;
  for (LayerGroup& known : facts.cache) {
    if (known.kind == group.kind && known.elements_per_token == group.elements_per_token &&
        known.window == group.window && known.state_elements == group.state_elements) {
      known.layers += group.layers;
      return;
    }
  }
  facts.cache.push_back(group);
}

int64_t CountKind(std::string_view pattern, char kind, int64_t layers) {
  int64_t count = 0;
  for (int64_t i = 0; i < layers; ++i) {
    if (pattern[static_cast<size_t>(i) % pattern.size()] == kind) ++count;
  }
  return count;
}

}  // namespace llmd::detectors
