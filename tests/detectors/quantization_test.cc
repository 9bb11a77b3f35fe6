#include "detectors/quantization.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "detectors/repository_maker.h"
#include "domain/weight_sets.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

std::string Of(const json& additions, const std::map<std::string, json>& documents = {},
               const std::vector<std::string>& files = {"model.safetensors"}) {
  Facts facts;
  json config = testing::LlamaConfig();
  config.update(additions);
  facts.documents["config.json"].json = std::make_shared<const json>(config);
  for (const auto& [name, document] : documents) {
    facts.documents[name].json = std::make_shared<const json>(document);
  }
  for (const std::string& file : files)
    facts.inventory.files.push_back({.path = file, .size = 9999});
  facts.weights = FindWeightSets(facts.inventory);
  return QuantizationOf(facts, FindModelConfig(facts));
}

json Method(const json& config) { return {{"quantization_config", config}}; }

TEST(QuantizationTest, IsTheMethodThatTheConfigurationNames) {
  EXPECT_EQ(Of(json::object()), "none");
  EXPECT_EQ(Of(Method({{"quant_method", "gptq"}, {"bits", 4}})), "gptq");
  EXPECT_EQ(Of(Method({{"quant_method", "AWQ"}})), "awq");
  EXPECT_EQ(Of(Method({{"quant_method", "fbgemm_fp8"}})), "fp8");
  EXPECT_EQ(Of(Method({{"quant_method", "compressed-tensors"}})), "compressed-tensors");
  EXPECT_EQ(Of(Method({{"quant_method", "vptq"}})), "vptq");
  EXPECT_EQ(Of({{"text_config", Method({{"quant_method", "mxfp4"}})}, {"hidden_size", nullptr}}),
            "mxfp4");
}

TEST(QuantizationTest, BitsandbytesHasTwoWidths) {
  EXPECT_EQ(Of(Method({{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}})), "bnb-4bit");
  EXPECT_EQ(
      Of(Method(
          {{"quant_method", "bitsandbytes"}, {"load_in_8bit", true}, {"load_in_4bit", false}})),
      "bnb-8bit");
  EXPECT_EQ(Of(Method({{"load_in_8bit", true}})), "bnb-8bit");
}

TEST(QuantizationTest, MlxNamesNoMethod) {
  const json mlx = {{"group_size", 64}, {"bits", 4}};
  EXPECT_EQ(Of({{"quantization", mlx}, {"quantization_config", mlx}}), "mlx");
}

TEST(QuantizationTest, OlderToolsWroteBesideTheConfiguration) {
  EXPECT_EQ(
      Of(json::object(), {{"hf_quant_config.json", {{"quantization", {{"quant_algo", "FP8"}}}}}}),
      "modelopt");
  EXPECT_EQ(Of(json::object(), {{"quantize_config.json", {{"bits", 4}, {"group_size", 128}}}}),
            "gptq");
  EXPECT_EQ(Of(json::object(), {{"quant_config.json", {{"w_bit", 4}, {"q_group_size", 128}}}}),
            "awq");
  // transformers.js has a file of the same name.
  EXPECT_EQ(Of(json::object(),
               {{"quantize_config.json", {{"per_channel", true}, {"reduce_range", true}}}}),
            "none");
}

TEST(QuantizationTest, SomeFormatsTellByThemselves) {
  EXPECT_EQ(Of(json::object(), {}, {"qmodel.pt"}), "hqq");
  EXPECT_EQ(Of(json::object(), {{"openvino_config.json", {{"quantization_config", {{"bits", 4}}}}}},
               {"openvino_model.bin"}),
            "openvino-int4");
  EXPECT_EQ(Of(json::object(), {}, {"openvino_model.bin"}), "none");
}

TEST(QuantizationTest, ChatGlmCountsBits) {
  EXPECT_EQ(Of({{"model_type", "chatglm"}, {"quantization_bit", 4}}), "int4");
  EXPECT_EQ(Of({{"model_type", "chatglm"}, {"quantization_bit", 0}}), "none");
}

TEST(QuantizationTest, PackedElementsStandForSeveral) {
  Facts facts;
  json config = Method({{"quant_method", "gptq"}, {"bits", 8}});
  facts.documents["config.json"].json = std::make_shared<const json>(config);
  const ModelConfig read = FindModelConfig(facts);
  EXPECT_EQ(PackingOf("gptq", "I32", read), 4);
  EXPECT_EQ(PackingOf("gptq", "F16", read), 1);
  EXPECT_EQ(PackingOf("bnb-4bit", "U8", read), 2);
  EXPECT_EQ(PackingOf("none", "I32", read), 1);
}

}  // namespace
}  // namespace llmd::detectors
