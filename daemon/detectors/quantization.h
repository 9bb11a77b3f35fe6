// How weights are quantised, from what configurations and files say, never from names. Pure.
#pragma once

#include <string>

#include "detectors/model_config.h"
#include "domain/facts.h"

namespace llmd::detectors {

// One of the profile's values ("none", "gptq", "bnb-4bit", ...), for a checkpoint at the root.
std::string QuantizationOf(const Facts& facts, const ModelConfig& config);

// The same for one quantization_config object; empty when it names no method.
std::string QuantizationMethod(const nlohmann::json& quantization_config);

// How many parameters one stored element of the packed type stands for: 8 for 4-bit weights in I32.
// 1 where nothing is packed.
int64_t PackingOf(const std::string& quantization, std::string_view dtype,
                  const ModelConfig& config);

}  // namespace llmd::detectors
