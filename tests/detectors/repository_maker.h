// Small repositories to look at, and the looking.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "detectors/detective.h"
#include "detectors/tables.h"
#include "golden/weight_heads.h"
#include "support/fakes/fake_repository.h"

namespace llmd::testing {

inline const char* const kRulesDir = LLMD_SOURCE_DIR "/daemon/detectors/rules";

inline const detectors::Tables& OurTables() {
  static const detectors::Tables tables =
      detectors::LoadTables(std::string(kRulesDir) + "/tables").value();
  return tables;
}

inline const detectors::Detective& OurDetective() {
  static const std::unique_ptr<detectors::Detective> detective =
      detectors::Detective::Load(kRulesDir, "").value();
  return *detective;
}

inline void AddJson(FakeRepository& repository, const std::string& path,
                    const nlohmann::json& json) {
  repository.Add(path, json.dump());
}

// A safetensors file of `size` bytes with a header and no weights.
inline void AddWeights(FakeRepository& repository, const std::string& path,
                       int64_t size = 1 << 20) {
  repository.AddListed({.path = path, .size = size},
                       SafetensorsHead(nlohmann::json::object(), size, "bfloat16"));
}

// A whole Llama of two layers.
inline nlohmann::json LlamaConfig() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_size", 64},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"max_position_embeddings", 2048},
          {"vocab_size", 1000},
          {"torch_dtype", "bfloat16"}};
}

inline std::unique_ptr<FakeRepository> LlamaRepository() {
  auto repository = std::make_unique<FakeRepository>();
  AddJson(*repository, "config.json", LlamaConfig());
  AddJson(*repository, "tokenizer.json", {{"model", {}}});
  AddWeights(*repository, "model.safetensors");
  return repository;
}

inline ModelProfile Look(hub::Repository& repository,
                         const detectors::Detective& detective = OurDetective()) {
  CancelSource cancel;
  const Facts facts =
      detectors::GatherFacts(repository, cancel.token(), detective.gather_options()).value();
  return detective.Inspect(facts);
}

}  // namespace llmd::testing
