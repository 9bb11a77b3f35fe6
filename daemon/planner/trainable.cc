#include "planner/trainable.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace llmd::planner {
namespace {

// Quantised weights under which PEFT has a layer of its own, or trains beside a dequantised one.
constexpr std::array<std::string_view, 9> kUnderPeft = {
    "none", "bnb-4bit", "bnb-8bit", "gptq", "awq", "aqlm", "eetq", "compressed-tensors", "mxfp4"};

}  // namespace

ModelProfile::Trainable FindTrainable(const ModelProfile& profile) {
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
  if (!profile.reasons.empty()) return no(profile.reasons.front());
  return {.lora = true, .reason = ""};
}

}  // namespace llmd::planner
