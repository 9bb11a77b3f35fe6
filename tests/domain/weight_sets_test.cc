#include "domain/weight_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace llmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

FileInventory Inventory(std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end());
  FileInventory inventory;
  for (std::string& path : paths) inventory.files.push_back({.path = std::move(path), .size = 10});
  return inventory;
}

TEST(WeightFormatTest, IsToldByTheName) {
  EXPECT_EQ(WeightFormatOf("model.safetensors"), "safetensors");
  EXPECT_EQ(WeightFormatOf("a/b/x.gguf"), "gguf");
  EXPECT_EQ(WeightFormatOf("onnx/model.onnx_data"), "onnx");
  EXPECT_EQ(WeightFormatOf("openvino_model.bin"), "openvino");
  EXPECT_EQ(WeightFormatOf("openvino_encoder_model.bin"), "openvino");
  EXPECT_EQ(WeightFormatOf("ggml-base.bin"), "ggml");
  EXPECT_EQ(WeightFormatOf("x.mlpackage/Data/weights/weight.bin"), "coreml");
  EXPECT_EQ(WeightFormatOf("model.weights.h5"), "keras");
}

TEST(WeightFormatTest, LeavesOutWhatIsNoWeights) {
  for (const char* path : {"training_args.bin", "optimizer.pt", "rng_state_0.pth", "config.json",
                           "openvino_tokenizer.bin", "openvino_detokenizer.bin", "x.imatrix",
                           "tokenizer.model", "modeling.py"}) {
    EXPECT_EQ(WeightFormatOf(path), "") << path;
  }
}

TEST(WeightSetsTest, GathersShardsAndTheirIndex) {
  const auto sets = FindWeightSets(
      Inventory({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                 "model.safetensors.index.json", "config.json"}));
  ASSERT_EQ(sets.size(), 1u);
  EXPECT_EQ(sets[0].stem, "model");
  EXPECT_EQ(sets[0].index, "model.safetensors.index.json");
  EXPECT_EQ(sets[0].bytes, 20);
  EXPECT_THAT(sets[0].missing, IsEmpty());
}

TEST(WeightSetsTest, NamesMissingShards) {
  const auto sets = FindWeightSets(Inventory({"big-q4_k_m-00001-of-00003.gguf"}));
  ASSERT_EQ(sets.size(), 1u);
  EXPECT_THAT(sets[0].missing,
              ElementsAre("big-q4_k_m-00002-of-00003.gguf", "big-q4_k_m-00003-of-00003.gguf"));
}

TEST(WeightSetsTest, CountingFromZeroIsWhole) {
  const auto sets =
      FindWeightSets(Inventory({"m-00000-of-00002.safetensors", "m-00001-of-00002.safetensors"}));
  ASSERT_EQ(sets.size(), 1u);
  EXPECT_THAT(sets[0].missing, IsEmpty());
}

TEST(WeightSetsTest, KeepsPrecisionsApartAndPrefersThePlainOne) {
  const auto sets = FindWeightSets(
      Inventory({"unet/diffusion_pytorch_model.fp16.safetensors",
                 "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin"}));
  ASSERT_EQ(sets.size(), 3u);
  EXPECT_EQ(sets[0].variant, "");
  EXPECT_EQ(sets[0].format, "safetensors");
  EXPECT_EQ(sets[1].variant, "fp16");
  EXPECT_EQ(sets[2].format, "pytorch");
}

TEST(WeightSetsTest, PrecisionBeforeTheShardNumberIsAVariant) {
  const auto sets =
      FindWeightSets(Inventory({"model.fp32-00001-of-00002.safetensors",
                                "model.fp32-00002-of-00002.safetensors", "model.safetensors"}));
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_THAT(sets[0].files, ElementsAre("model.safetensors"));
  EXPECT_EQ(sets[1].variant, "fp32");
}

TEST(WeightSetsTest, PrefersTheRootAndUsualNames) {
  const auto sets = FindWeightSets(Inventory(
      {"aaa.safetensors", "model.safetensors", "original/model.safetensors", "pytorch_model.bin"}));
  ASSERT_EQ(sets.size(), 4u);
  EXPECT_THAT(sets[0].files, ElementsAre("model.safetensors"));
  EXPECT_THAT(sets[3].files, ElementsAre("original/model.safetensors"));
}

TEST(WeightSetsTest, OrdersGgufByVariantWhereverItLies) {
  const auto sets =
      FindWeightSets(Inventory({"m-F16.gguf", "m-Q2_K.gguf", "sub/m-Q4_K_M.gguf", "m-Q8_0.gguf"}));
  std::vector<std::string> variants;
  for (const WeightSet& set : sets) variants.push_back(set.variant);
  EXPECT_THAT(variants, ElementsAre("Q4_K_M", "Q8_0", "Q2_K", "F16"));
}

TEST(GgufVariantTest, IsReadFromNames) {
  EXPECT_EQ(GgufVariantOf("qwen2.5-0.5b-instruct-q4_k_m"), "Q4_K_M");
  EXPECT_EQ(GgufVariantOf("nomic-embed-text-v1.5.Q8_0"), "Q8_0");
  EXPECT_EQ(GgufVariantOf("DeepSeek-R1-UD-IQ1_S"), "UD-IQ1_S");
  EXPECT_EQ(GgufVariantOf("Phi-3-mini-4k-instruct-q4"), "Q4");
  EXPECT_EQ(GgufVariantOf("gpt-oss-20b-mxfp4"), "MXFP4");
  EXPECT_EQ(GgufVariantOf("model"), "");
}

}  // namespace
}  // namespace llmd
