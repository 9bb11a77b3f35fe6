// Which weight files a model is loaded from, what is wrong with them, and what else there is to
// choose. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/facts.h"
#include "domain/profile.h"

namespace llmd::detectors {

// How a model's weights lie, named by the rule:
//   checkpoint  what from_pretrained loads, at the root or in a module's folder
//   gguf        one quantisation, and a projector beside it
//   pipeline    one set in each part's folder
//   part        a single network of diffusers at the root
//   file        one file of any name (LoRA, single-file checkpoint)
//   none        nothing that is loaded
struct WeightsChoice {
  std::vector<const WeightSet*> sets;
  std::vector<std::string> obstacles;  // sentences: missing shards, pointers, broken headers

  int64_t Bytes() const;
  std::vector<std::string> Files() const;
};

WeightsChoice ChooseWeights(std::string_view layout, const Facts& facts);

// Every other way to get this model out of the repository. GGUF: all quantisations, the chosen one
// first. At most 200.
std::vector<ModelProfile::Variant> FindVariants(const WeightsChoice& choice, const Facts& facts);

}  // namespace llmd::detectors
