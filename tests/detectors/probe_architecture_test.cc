#include "detectors/probe_architecture.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "detectors/repository_maker.h"
#include "domain/json_path.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;
using Kind = LayerGroup::Kind;

ArchitectureFacts Read(const json& document) {
  Facts facts;
  facts.documents["config.json"].json = std::make_shared<const json>(document);
  return ArchitectureOf(FindModelConfig(facts), testing::OurTables()).value_or(ArchitectureFacts());
}

TEST(ProbeArchitectureTest, GroupedHeads) {
  const ArchitectureFacts facts = Read(testing::LlamaConfig());
  EXPECT_EQ(facts.layers, 2);
  EXPECT_EQ(facts.head_dim, 16);
  ASSERT_EQ(facts.cache.size(), 1u);
  EXPECT_EQ(facts.cache[0].kind, Kind::kFull);
  EXPECT_EQ(facts.cache[0].elements_per_token, 2 * 2 * 16);
  EXPECT_EQ(facts.context_length, 2048);
}

TEST(ProbeArchitectureTest, LatentAttention) {
  json config = testing::LlamaConfig();
  config.update({{"model_type", "deepseek_v3"}, {"kv_lora_rank", 512}, {"qk_rope_head_dim", 64}});
  const ArchitectureFacts facts = Read(config);
  ASSERT_EQ(facts.cache.size(), 1u);
  EXPECT_EQ(facts.cache[0].kind, Kind::kLatent);
  EXPECT_EQ(facts.cache[0].elements_per_token, 576);
}

TEST(ProbeArchitectureTest, SlidingWindowsByPattern) {
  json config = testing::LlamaConfig();
  config.update(
      {{"num_hidden_layers", 12}, {"sliding_window", 512}, {"sliding_window_pattern", 6}});
  const ArchitectureFacts facts = Read(config);
  ASSERT_EQ(facts.cache.size(), 2u);
  EXPECT_EQ(facts.cache[0].layers, 2);
  EXPECT_EQ(facts.cache[1].layers, 10);
  EXPECT_EQ(facts.cache[1].window, 512);
}

TEST(ProbeArchitectureTest, AWindowThatIsSwitchedOffIsNone) {
  json config = testing::LlamaConfig();
  config.update({{"sliding_window", 512}, {"use_sliding_window", false}});
  EXPECT_EQ(Read(config).cache.at(0).kind, Kind::kFull);
}

TEST(ProbeArchitectureTest, LayerTypesOneByOne) {
  json config = testing::LlamaConfig();
  config.update({{"num_hidden_layers", 4},
                 {"sliding_window", 128},
                 {"conv_L_cache", 3},
                 {"layer_types", {"conv", "full_attention", "conv", "sliding_attention"}}});
  const ArchitectureFacts facts = Read(config);
  ASSERT_EQ(facts.cache.size(), 3u);
  EXPECT_EQ(facts.cache[0].kind, Kind::kRecurrent);
  EXPECT_EQ(facts.cache[0].layers, 2);
  EXPECT_EQ(facts.cache[0].state_elements, 3 * 64);
}

TEST(ProbeArchitectureTest, HybridPatterns) {
  json config = testing::LlamaConfig();
  config.update({{"hybrid_override_pattern", "M-M*-E"},
                 {"mamba_num_heads", 8},
                 {"mamba_head_dim", 16},
                 {"ssm_state_size", 32},
                 {"conv_kernel", 4},
                 {"n_groups", 1}});
  const ArchitectureFacts facts = Read(config);
  ASSERT_EQ(facts.cache.size(), 2u);
  EXPECT_EQ(facts.cache[0].layers, 2);
  EXPECT_EQ(facts.cache[0].state_elements, 128 * 32 + 4 * (128 + 2 * 32));
  EXPECT_EQ(facts.cache[1].layers, 1);
}

TEST(ProbeArchitectureTest, AttentionInEveryNthLayer) {
  json config = testing::LlamaConfig();
  config.update({{"num_hidden_layers", 32},
                 {"attn_layer_period", 8},
                 {"mamba_d_state", 16},
                 {"mamba_d_conv", 4}});
  const ArchitectureFacts facts = Read(config);
  ASSERT_EQ(facts.cache.size(), 2u);
  EXPECT_EQ(facts.cache[0].layers, 4);
  EXPECT_EQ(facts.cache[1].layers, 28);
}

TEST(ProbeArchitectureTest, MambaHasNoCacheThatGrows) {
  const ArchitectureFacts facts = Read({{"model_type", "mamba"},
                                        {"hidden_size", 768},
                                        {"num_hidden_layers", 24},
                                        {"state_size", 16},
                                        {"conv_kernel", 4},
                                        {"expand", 2}});
  ASSERT_EQ(facts.cache.size(), 1u);
  EXPECT_EQ(facts.cache[0].elements_per_token, 0);
  EXPECT_EQ(facts.cache[0].state_elements, 1536 * 16 + 4 * 1536);
}

TEST(ProbeArchitectureTest, TextPartOfAModelOfSeveral) {
  const ArchitectureFacts facts = Read({{"model_type", "llava"},
                                        {"text_config", testing::LlamaConfig()},
                                        {"vision_config", json::object()}});
  EXPECT_EQ(facts.source, "config.json: text_config");
  EXPECT_EQ(facts.layers, 2);
}

TEST(ProbeArchitectureTest, LibraryDefaultsFillIn) {
  const ArchitectureFacts facts =
      Read({{"model_type", "llava"}, {"text_config", {{"model_type", "llama"}}}});
  EXPECT_EQ(facts.layers, 32);
  EXPECT_EQ(facts.hidden_size, 4096);
}

TEST(ProbeArchitectureTest, EncoderAndDecoder) {
  const ArchitectureFacts facts = Read({{"model_type", "t5"},
                                        {"is_encoder_decoder", true},
                                        {"d_model", 512},
                                        {"num_layers", 6},
                                        {"num_decoder_layers", 8},
                                        {"num_heads", 8},
                                        {"d_kv", 64},
                                        {"n_positions", 512}});
  EXPECT_TRUE(facts.encoder_decoder);
  EXPECT_EQ(facts.layers, 8);
  EXPECT_EQ(facts.encoder_layers, 6);
  ASSERT_EQ(facts.cache.size(), 2u);
  EXPECT_EQ(facts.cache[1].kind, Kind::kCross);
  EXPECT_EQ(facts.cache[1].window, 512);
}

TEST(ProbeArchitectureTest, AbsurdSizesDoNotOverflow) {
  json config = testing::LlamaConfig();
  config.update({{"num_key_value_heads", kMaxJsonSize}, {"head_dim", kMaxJsonSize}});
  EXPECT_LE(Read(config).cache.at(0).elements_per_token, kMaxJsonSize);
  config["num_hidden_layers"] = -4;
  config["model_type"] = "unheard-of";
  EXPECT_EQ(Read(config).layers, 0);
}

TEST(ProbeArchitectureTest, GgufKeys) {
  GgufFacts gguf{.file = "x.gguf"};
  gguf.strings["general.architecture"] = "llama";
  gguf.integers = {{"llama.block_count", 32},
                   {"llama.embedding_length", 4096},
                   {"llama.attention.head_count", 32},
                   {"llama.attention.head_count_kv", 8},
                   {"llama.context_length", 8192}};
  const auto facts = ArchitectureOf(gguf);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->cache.at(0).elements_per_token, 2 * 8 * 128);
  gguf.integers["llama.block_count"] = -1;
  EXPECT_FALSE(ArchitectureOf(gguf));
}

}  // namespace
}  // namespace llmd::detectors
