// Models to plan for: what the detective would say of them, made up, with real figures.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "domain/facts.h"
#include "domain/profile.h"
#include "domain/weight_sets.h"
#include "engines/engines.h"
#include "handlers/handlers.h"
#include "planner/planner.h"
#include "support/fakes/fake_machines.h"

namespace llmd::testing {

inline const std::vector<EngineSpec>& OurEngines() {
  static const std::vector<EngineSpec> engines = [] {
    std::vector<std::string> errors;
    return engines::LoadEngines(LLMD_SOURCE_DIR "/daemon/engines/profiles", "", errors).value();
  }();
  return engines;
}

inline const std::vector<HandlerSpec>& OurHandlers() {
  static const std::vector<HandlerSpec> handlers = [] {
    std::vector<std::string> errors;
    return handlers::LoadHandlers(LLMD_SOURCE_DIR "/daemon/handlers/profiles", "", errors).value();
  }();
  return handlers;
}

struct Model {
  Facts facts;
  ModelProfile profile;

  void AddFile(std::string path, int64_t size) {
    auto& files = facts.inventory.files;
    files.push_back({.path = std::move(path), .size = size});
    std::sort(files.begin(), files.end(),
              [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; });
    facts.weights = FindWeightSets(facts.inventory);
  }
};

inline void SetCache(Model& model, std::vector<LayerGroup> cache) {
  model.facts.architecture->cache = std::move(cache);
}

// Llama 3.1 8B, in two shards of bfloat16.
inline Model LlamaModel() {
  Model model;
  model.facts.info.repo_id = model.profile.repo_id = "org/llama-8b";
  model.profile.revision = std::string(40, 'a');
  model.profile.source = "hub";
  model.profile.detector = "transformers";
  model.profile.kind = "llm";
  model.profile.architecture = "LlamaForCausalLM";
  model.profile.model_type = "llama";
  model.profile.loader = "AutoModelForCausalLM";
  model.profile.parameters = 8'030'261'248;
  model.profile.dtype = "bfloat16";
  model.profile.context_length = 131'072;
  model.profile.weight_files = {"model-00001-of-00002.safetensors",
                                "model-00002-of-00002.safetensors"};
  model.AddFile("README.md", 40'000);
  model.AddFile("LICENSE", 7'000);
  model.AddFile("config.json", 855);
  model.AddFile("tokenizer.json", 9'000'000);
  model.AddFile("model.safetensors.index.json", 24'000);
  model.AddFile("model-00001-of-00002.safetensors", 9'000'000'000);
  model.AddFile("model-00002-of-00002.safetensors", 7'060'522'496);
  model.facts.architecture = ArchitectureFacts{.source = "config.json",
                                               .layers = 32,
                                               .hidden_size = 4096,
                                               .intermediate_size = 14'336,
                                               .attention_heads = 32,
                                               .key_value_heads = 8,
                                               .head_dim = 128,
                                               .vocab_size = 128'256,
                                               .context_length = 131'072};
  SetCache(model, {{.layers = 32, .elements_per_token = 2 * 8 * 128}});
  return model;
}

// The same model at half a gigabyte.
inline Model SmallModel() {
  Model model = LlamaModel();
  model.facts.info.repo_id = model.profile.repo_id = "org/small";
  for (FileEntry& file : model.facts.inventory.files) {
    if (file.size > 1'000'000'000) file.size = 250'000'000;
  }
  model.facts.weights = FindWeightSets(model.facts.inventory);
  model.profile.parameters = 250'000'000;
  model.profile.context_length = 8192;
  model.facts.architecture->layers = 8;
  model.facts.architecture->hidden_size = 1024;
  model.facts.architecture->intermediate_size = 4096;
  SetCache(model, {{.layers = 8, .elements_per_token = 512}});
  return model;
}

inline Model GgufModel() {
  Model model = SmallModel();
  model.facts.info.repo_id = model.profile.repo_id = "org/small-GGUF";
  model.facts.inventory.files.clear();
  model.AddFile("README.md", 1000);
  model.AddFile("small-Q4_K_M.gguf", 300'000'000);
  model.AddFile("small-Q8_0.gguf", 550'000'000);
  model.profile.detector = "gguf";
  model.profile.architecture = model.profile.model_type = "llama";
  model.profile.loader = "llama.cpp";
  model.profile.quantization = "gguf";
  model.profile.weight_files = {"small-Q4_K_M.gguf"};
  model.profile.variants = {
      {.name = "Q4_K_M", .files = {"small-Q4_K_M.gguf"}, .bytes = 300'000'000},
      {.name = "Q8_0", .files = {"small-Q8_0.gguf"}, .bytes = 550'000'000}};
  model.facts.architecture->source = "small-Q4_K_M.gguf";
  return model;
}

inline Model EmbeddingModel() {
  Model model = SmallModel();
  model.facts.info.repo_id = model.profile.repo_id = "org/minilm";
  model.profile.detector = "sentence-transformers";
  model.profile.kind = "embedding";
  model.profile.architecture = "BertModel";
  model.profile.model_type = "bert";
  model.profile.loader = "SentenceTransformer";
  model.profile.dtype = "float32";
  model.profile.context_length = 256;
  model.AddFile("modules.json", 349);
  model.AddFile("1_Pooling/config.json", 190);
  SetCache(model, {});
  return model;
}

// Keeps what a PlannerInput refers to.
struct Asked {
  MachineFacts machine = LinuxMachine();
  Wish wish = {};

  planner::PlannerInput Input(const Model& model) const {
    return {.facts = model.facts,
            .machine = machine,
            .wish = wish,
            .engines = OurEngines(),
            .handlers = OurHandlers()};
  }
  ModelProfile Complete(const Model& model) const {
    ModelProfile profile = model.profile;
    planner::CompleteProfile(Input(model), profile);
    return profile;
  }
  StatusOr<Plan> MakePlan(const Model& model) const {
    return planner::MakePlan(Input(model), Complete(model), "org/name", "org_name");
  }
};

inline const ModelProfile::Backend* FindBackend(const ModelProfile& profile,
                                                std::string_view name) {
  for (const ModelProfile::Backend& backend : profile.backends) {
    if (backend.name == name) return &backend;
  }
  return nullptr;
}

}  // namespace llmd::testing
