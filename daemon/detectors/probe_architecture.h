// Reads out of a configuration or a GGUF header what the memory of a language model depends on:
// layers, heads, latent attention, sliding windows, states of Mamba and its like. Pure.
#pragma once

#include <optional>

#include "detectors/model_config.h"
#include "detectors/tables.h"
#include "domain/facts.h"

namespace llmd::detectors {

// nullopt when the configuration says too little. `tables` fills in the library's defaults.
std::optional<ArchitectureFacts> ArchitectureOf(const ModelConfig& config, const Tables& tables);

// Defined in gguf_architecture.cc.
std::optional<ArchitectureFacts> ArchitectureOf(const GgufFacts& gguf);

}  // namespace llmd::detectors
