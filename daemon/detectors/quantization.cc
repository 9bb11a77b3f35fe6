#include "detectors/quantization.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "detectors/probe_safetensors.h"
#include "domain/json_path.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

struct Alias {
  std::string_view method;
  std::string_view name;
};
// Methods that go by several names.
constexpr std::array kAliases = {Alias{"fbgemm_fp8", "fp8"},
                                 Alias{"finegrained_fp8", "fp8"},
                                 Alias{"modelopt_fp4", "modelopt"},
                                 Alias{"nvfp4", "nvfp4"},
                                 Alias{"intel/auto-round", "auto-round"},
                                 Alias{"marlin", "gptq"},
                                 Alias{"gptq_marlin", "gptq"}};

bool HasFormat(const Facts& facts, std::string_view format) {
  return std::any_of(facts.weights.begin(), facts.weights.end(),
                     [&](const WeightSet& set) { return set.format == format; });
}

// Configurations that older tools put beside config.json.
std::string FromNeighbours(const Facts& facts) {
  if (DocumentJson(facts, "hf_quant_config.json") != nullptr) return "modelopt";
  const json* gptq = DocumentJson(facts, "quantize_config.json");
  if (JsonSize(gptq, "bits") && JsonMember(gptq, "group_size") != nullptr) return "gptq";
  const json* awq = DocumentJson(facts, "quant_config.json");
  if (JsonSize(awq, "w_bit") && JsonMember(awq, "q_group_size") != nullptr) return "awq";
  return {};
}

// Formats that tell it by themselves.
std::string FromFiles(const Facts& facts) {
  if (facts.inventory.Find("qmodel.pt") != nullptr) return "hqq";
  const bool usual = HasFormat(facts, "safetensors") || HasFormat(facts, "pytorch");
  if (!usual && HasFormat(facts, "openvino")) {
    const json* config = DocumentJson(facts, "openvino_config.json");
    const json* quantization = JsonMember(config, "quantization_config");
    std::optional<int64_t> bits = JsonSize(quantization, "bits");
    if (!bits) bits = JsonSize(JsonMember(quantization, "default_config"), "bits");
    if (bits == 4 || bits == 8) return fmt::format("openvino-int{}", *bits);
  }
  return {};
}

bool IsPackedByBitsandbytes(const SafetensorsFacts& header) {
  return std::any_of(
      header.tensor_names.begin(), header.tensor_names.end(),
      [](const std::string& name) { return name.find(".quant_state.bitsandbytes") != name.npos; });
}

// Weights of four or eight bits without a word in the configuration. That of a pipeline's part is
// not read; the names of its tensors tell.
std::string FromHeader(const Facts& facts) {
  for (const auto& [folder, header] : facts.part_headers) {
    if (IsPackedByBitsandbytes(header)) return "bnb-4bit";
  }
  if (!facts.safetensors || facts.safetensors->parameters == 0) return {};
  int64_t eight = 0;
  for (const auto& [dtype, count] : facts.safetensors->parameters_by_dtype) {
    if (dtype.starts_with("F8_")) eight += count;
  }
  return eight > facts.safetensors->parameters / 2 ? "fp8" : "";
}

}  // namespace

std::string QuantizationMethod(const json& config) {
  std::string method = ToLower(JsonText(&config, "quant_method"));
  if (method.empty()) method = ToLower(JsonText(&config, "quant_type"));
  for (const Alias& alias : kAliases) {
    if (method == alias.method) return std::string(alias.name);
  }
  const bool eight =
      JsonBool(&config, "load_in_8bit") == true || JsonBool(&config, "_load_in_8bit") == true;
  const bool four =
      JsonBool(&config, "load_in_4bit") == true || JsonBool(&config, "_load_in_4bit") == true;
  if (method == "bitsandbytes" || (method.empty() && (eight || four))) {
    return eight && !four ? "bnb-8bit" : "bnb-4bit";
  }
  return SanitizeForTerminal(method.substr(0, 40));
}

std::string QuantizationOf(const Facts& facts, const ModelConfig& config) {
  const json* said = JsonMember(config.root, "quantization_config");
  if (said == nullptr) said = JsonMember(config.text, "quantization_config");
  if (said == nullptr) said = JsonMember(config.root, "compression_config");
  // MLX writes bits and group_size, without a method, twice.
  const json* mlx = JsonMember(config.root, "quantization");
  const bool packed = mlx != nullptr && JsonSize(mlx, "bits") && JsonSize(mlx, "group_size");
  if (packed && (said == nullptr || QuantizationMethod(*said).empty())) return "mlx";
  if (said != nullptr) {
    if (const std::string method = QuantizationMethod(*said); !method.empty()) return method;
  }
  // ChatGLM's own code packs weights into four or eight bits.
  const std::optional<int64_t> bits = JsonSize(config.root, "quantization_bit");
  if (bits == 4 || bits == 8) return fmt::format("int{}", *bits);
  for (const auto& from : {FromNeighbours(facts), FromFiles(facts), FromHeader(facts)}) {
    if (!from.empty()) return from;
  }
  return "none";
}

int64_t PackingOf(const std::string& quantization, std::string_view dtype,
                  const ModelConfig& config) {
  const json* said = JsonMember(config.root, "quantization_config");
  int64_t bits =
      JsonSize(said, "bits")
          .value_or(JsonSize(JsonMember(config.root, "quantization"), "bits").value_or(4));
  if (bits < 1 || bits > 8) bits = 4;
  if (quantization == "bnb-4bit" || quantization == "mxfp4" || quantization == "nvfp4" ||
      quantization == "modelopt") {
    return dtype == "U8" ? 2 : 1;
  }
  if (quantization == "bitnet") return dtype == "U8" ? 4 : 1;
  const bool words = dtype == "I32" || dtype == "U32";
  const bool packs = quantization == "gptq" || quantization == "awq" || quantization == "mlx" ||
                     quantization == "compressed-tensors" || quantization == "auto-round";
  return packs && words ? 32 / bits : 1;
}

}  // namespace llmd::detectors
