#include "planner/trainable.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace llmd::planner {
namespace {

// Quantised weights under which PEFT has a layer of its own, or trains beside a dequantised one.
constexpr std::array<std::string_view, 9> kUnderPeft = {
    "none", "bnb-4bit", "bnb-8bit", "gptq", "awq", "aqlm", "eetq", "compressed-tensors", "mxfp4"};

bool IsPartOfIncompleteSet(const Facts& facts, const std::string& path) {
  return std::any_of(facts.weights.begin(), facts.weights.end(), [&](const WeightSet& set) {
    return !set.missing.empty() &&
           std::find(set.files.begin(), set.files.end(), path) != set.files.end();
  });
}

// A missing part, a header that cannot be read, or a file that is too small to be one: a pointer, a
// broken upload.
bool WeightsAreThere(const Facts& facts, const Selection& weights) {
  constexpr int64_t kLeast = 1024;
  if (weights.files.empty()) return false;
  if (facts.safetensors && facts.safetensors->files == weights.files &&
      !facts.safetensors->error.empty()) {
    return false;
  }
  return std::all_of(weights.files.begin(), weights.files.end(), [&](const std::string& path) {
    const FileEntry* file = facts.inventory.Find(path);
    return file != nullptr && file->size >= kLeast && !IsPartOfIncompleteSet(facts, path);
  });
}

}  // namespace

ModelProfile::Trainable FindTrainable(const ModelProfile& profile, const Facts& facts,
                                      const Selection& weights) {
  const auto no = [](std::string reason) {
    return ModelProfile::Trainable{.lora = false, .reason = std::move(reason)};
  };
  if (profile.quantization == "gguf") {
    return no(profile.base_model ? fmt::format("GGUF weights cannot be trained on; install {}",
                                               *profile.base_model)
                                 : "GGUF weights cannot be trained on; install the original");
  }
  if (profile.kind != "llm") {
    return no(fmt::format("only language models can be fine-tuned, not the kind {}", profile.kind));
  }
  if (!profile.loader || *profile.loader != "AutoModelForCausalLM") {
    return no("its weights are not loaded as a causal language model");
  }
  if (std::find(kUnderPeft.begin(), kUnderPeft.end(), profile.quantization) == kUnderPeft.end()) {
    return no(fmt::format("weights quantised as {} cannot be trained on", profile.quantization));
  }
  if (!WeightsAreThere(facts, weights)) return no("its weights are not there, or not whole");
  return {.lora = true, .reason = ""};
}

}  // namespace llmd::planner
