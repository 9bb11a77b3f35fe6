// What transformers makes of a configuration: kind, loader, and whether it can load it at all.
// Architecture and head decide; the Hub's tags only where those leave it open. Pure.
#pragma once

#include <string>
#include <vector>

#include "detectors/model_config.h"
#include "detectors/remote_code.h"
#include "detectors/tables.h"
#include "domain/facts.h"

namespace llmd::detectors {

struct TransformersVerdict {
  std::string kind;
  std::string loader;   // empty: nothing can load it, `obstacle` says why
  bool native = false;  // the library has the class
  bool audio = false;   // sound goes in or comes out, and no pictures
  bool vision = false;  // takes pictures
  bool hears = false;   // takes sound
  bool one_label = false;
  RemoteCode code;
  std::string obstacle;
  std::string package;  // another library that knows the model_type
};

// For a config with `root`.
TransformersVerdict JudgeForTransformers(const Facts& facts, const ModelConfig& config,
                                         const Tables& tables);

}  // namespace llmd::detectors
