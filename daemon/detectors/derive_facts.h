// Derives from Facts what rules ask about, under dotted names. Pure.
#pragma once

#include <string>
#include <string_view>

#include "detectors/model_config.h"
#include "detectors/tables.h"
#include "detectors/transformers_verdict.h"
#include "domain/fact_sheet.h"

namespace llmd::detectors {

// The sheet, and what it was made from for who completes a profile.
struct Derived {
  FactSheet sheet;
  ModelConfig config;
  TransformersVerdict transformers;
};

Derived DeriveFacts(const Facts& facts, const Tables& tables);

// Parts of DeriveFacts, by what they read.
void DerivePipeline(const Facts& facts, const ModelConfig& config, const Tables& tables,
                    FactSheet& sheet);
void DeriveTensors(const Facts& facts, FactSheet& sheet);
void DeriveGguf(const Facts& facts, FactSheet& sheet);
void DeriveSentence(const Facts& facts, FactSheet& sheet);

// The set at the root that from_pretrained would load; nullptr when there is none.
const WeightSet* RootCheckpoint(const Facts& facts);

}  // namespace llmd::detectors
