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
  EXPECT_EQ(facts.cache[0].layers, 10);
  EXPECT_EQ(facts.cache[0].window, 512);
  EXPECT_EQ(facts.cache[1].layers, 2);
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

// What a token takes in 16 bits beyond every window, and what all windows and states keep.
struct Kept {
  int64_t per_token = 0;
  int64_t sliding_layers = 0;
  int64_t window = 0;
  int64_t recurrent_layers = 0;
};
bool operator==(const Kept& a, const Kept& b) {
  return a.per_token == b.per_token && a.sliding_layers == b.sliding_layers &&
         a.window == b.window && a.recurrent_layers == b.recurrent_layers;
}
std::ostream& operator<<(std::ostream& out, const Kept& kept) {
  return out << kept.per_token << " B a token, " << kept.sliding_layers << " layers of "
             << kept.window << ", " << kept.recurrent_layers << " states";
}

Kept KeptBy(const ArchitectureFacts& facts) {
  Kept kept;
  for (const LayerGroup& group : facts.cache) {
    if (group.kind == Kind::kRecurrent) {
      kept.recurrent_layers += group.layers;
      EXPECT_GT(group.state_elements, 0);
    } else if (group.kind == Kind::kSliding) {
      kept.sliding_layers += group.layers;
      kept.window = group.window;
    } else {
      kept.per_token += 2 * group.layers * group.elements_per_token;
    }
  }
  return kept;
}

struct PublishedCase {
  const char* name;
  const char* config;  // the keys of the published one that matter
  Kept kept;
};

class PublishedConfigTest : public ::testing::TestWithParam<PublishedCase> {};

TEST_P(PublishedConfigTest, KeepsWhatTheLibraryKeeps) {
  EXPECT_EQ(KeptBy(Read(json::parse(GetParam().config))), GetParam().kept);
}

INSTANTIATE_TEST_SUITE_P(
    All, PublishedConfigTest,
    ::testing::Values(
        PublishedCase{"Gemma3Of4B",
                      R"({"model_type": "gemma3", "text_config": {"hidden_size": 2560,
                          "model_type": "gemma3_text", "num_hidden_layers": 34,
                          "sliding_window": 1024}})",
                      {5 * 4 * 2 * 256 * 2, 29, 1024, 0}},
        PublishedCase{"Gemma3Of27B",
                      R"({"model_type": "gemma3", "text_config": {"hidden_size": 5376,
                          "head_dim": 128, "num_attention_heads": 32, "num_key_value_heads": 16,
                          "num_hidden_layers": 62, "sliding_window": 1024}})",
                      {81'920, 52, 1024, 0}},
        PublishedCase{"Gemma2",
                      R"({"model_type": "gemma2", "hidden_size": 2304, "head_dim": 256,
                          "num_attention_heads": 8, "num_key_value_heads": 4,
                          "num_hidden_layers": 26, "sliding_window": 4096})",
                      {13 * 4 * 2 * 256 * 2, 13, 4096, 0}},
        PublishedCase{"Cohere2",
                      R"({"model_type": "cohere2", "hidden_size": 4096,
                          "num_attention_heads": 32, "num_key_value_heads": 8,
                          "num_hidden_layers": 32, "sliding_window": 4096})",
                      {8 * 8 * 2 * 128 * 2, 24, 4096, 0}},
        PublishedCase{"Gemma3nSharesItsLastLayers",
                      R"({"model_type": "gemma3n", "text_config": {"hidden_size": 2048,
                          "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 256,
                          "num_hidden_layers": 30, "num_kv_shared_layers": 10,
                          "sliding_window": 512}})",
                      {4 * 2 * 2 * 256 * 2, 16, 512, 0}},
        PublishedCase{"GptOss",
                      R"({"model_type": "gpt_oss", "hidden_size": 2880, "head_dim": 64,
                          "num_attention_heads": 64, "num_key_value_heads": 8,
                          "num_hidden_layers": 24, "sliding_window": 128})",
                      {12 * 8 * 2 * 64 * 2, 12, 128, 0}},
        PublishedCase{"Exaone4",
                      R"({"model_type": "exaone4", "hidden_size": 5120, "head_dim": 128,
                          "num_attention_heads": 40, "num_key_value_heads": 8,
                          "num_hidden_layers": 64, "sliding_window": 4096,
                          "sliding_window_pattern": "LLLG"})",
                      {16 * 8 * 2 * 128 * 2, 48, 4096, 0}},
        PublishedCase{"Exaone4WithoutWindows",
                      R"({"model_type": "exaone4", "hidden_size": 2048,
                          "head_dim": 64, "num_attention_heads": 32, "num_key_value_heads": 8,
                          "num_hidden_layers": 30, "sliding_window": null})",
                      {30 * 8 * 2 * 64 * 2, 0, 0, 0}},
        PublishedCase{"FullFirst",
                      R"({"model_type": "cwm", "hidden_size": 6144, "head_dim": 128,
                          "num_attention_heads": 48, "num_key_value_heads": 8,
                          "num_hidden_layers": 65})",
                      {17 * 8 * 2 * 128 * 2, 48, 8192, 0}},
        PublishedCase{"Qwen2",
                      R"({"model_type": "qwen2", "hidden_size": 3584,
                          "num_attention_heads": 28, "num_key_value_heads": 4,
                          "num_hidden_layers": 28, "sliding_window": 131072,
                          "use_sliding_window": true, "max_window_layers": 28})",
                      {57'344, 0, 0, 0}},
        PublishedCase{"Qwen2WithWindows",
                      R"({"model_type": "qwen2", "hidden_size": 3584,
                          "num_attention_heads": 28, "num_key_value_heads": 4,
                          "num_hidden_layers": 28, "sliding_window": 4096,
                          "use_sliding_window": true, "max_window_layers": 21})",
                      {43'008, 7, 4096, 0}},
        PublishedCase{"Bamba",
                      R"({"model_type": "bamba", "hidden_size": 4096,
                          "attn_layer_indices": [9, 18, 27], "num_attention_heads": 32,
                          "num_key_value_heads": 8, "num_hidden_layers": 32,
                          "mamba_d_state": 128, "mamba_d_conv": 4, "mamba_n_heads": 128,
                          "mamba_d_head": 64})",
                      {12'288, 0, 0, 29}},
        PublishedCase{"Zamba2ByTypes",
                      R"({"model_type": "zamba2", "hidden_size": 2560,
                          "layers_block_type": ["mamba", "hybrid", "mamba", "hybrid"],
                          "num_attention_heads": 32, "num_hidden_layers": 4,
                          "mamba_d_state": 64})",
                      {2 * 32 * 2 * 160 * 2, 0, 0, 4}},
        PublishedCase{"Zamba2ByNumbers",
                      R"({"model_type": "zamba2", "hidden_size": 2560,
                          "hybrid_layer_ids": [6, 12, 18, 24, 30, 36, 42, 47, 51],
                          "attention_head_dim": 160, "num_attention_heads": 32,
                          "num_hidden_layers": 54, "mamba_d_state": 64})",
                      {9 * 32 * 2 * 160 * 2, 0, 0, 54}},
        PublishedCase{"RecurrentGemma",
                      R"({"model_type": "recurrent_gemma", "hidden_size": 2560,
                          "block_types": ["recurrent", "recurrent", "attention"],
                          "attention_window_size": 2048, "num_attention_heads": 10,
                          "num_key_value_heads": 1, "num_hidden_layers": 26, "conv1d_width": 4})",
                      {0, 8, 2048, 18}},
        PublishedCase{"Lfm2",
                      R"({"model_type": "lfm2", "hidden_size": 2048,
                          "full_attn_idxs": [2, 5, 8, 10, 12, 14], "num_attention_heads": 32,
                          "num_key_value_heads": 8, "num_hidden_layers": 16, "conv_L_cache": 3})",
                      {12'288, 0, 0, 10}},
        PublishedCase{"FalconH1",
                      R"({"model_type": "falcon_h1", "hidden_size": 2048,
                          "head_dim": 128, "num_attention_heads": 8, "num_key_value_heads": 2,
                          "num_hidden_layers": 24, "mamba_d_ssm": 3072, "mamba_d_state": 256,
                          "mamba_d_conv": 4, "mamba_n_heads": 48, "mamba_d_head": 64})",
                      {24 * 2 * 2 * 128 * 2, 0, 0, 24}},
        PublishedCase{"MiniMax",
                      R"({"model_type": "minimax", "hidden_size": 64,
                          "attn_type_list": [0, 0, 0, 1], "num_attention_heads": 4,
                          "num_hidden_layers": 4})",
                      {4 * 2 * 16 * 2, 0, 0, 3}},
        PublishedCase{"Llama4",
                      R"({"model_type": "llama4", "text_config": {"hidden_size": 5120,
                          "head_dim": 128, "num_attention_heads": 40, "num_key_value_heads": 8,
                          "num_hidden_layers": 48, "attention_chunk_size": 8192}})",
                      {12 * 8 * 2 * 128 * 2, 36, 8192, 0}}),
    [](const auto& info) { return info.param.name; });

TEST(ProbeArchitectureTest, GgufWindowsAlternate) {
  GgufFacts gguf{.file = "x.gguf"};
  gguf.strings["general.architecture"] = "gemma3";
  gguf.integers = {{"gemma3.block_count", 62},
                   {"gemma3.embedding_length", 5376},
                   {"gemma3.attention.head_count", 32},
                   {"gemma3.attention.head_count_kv", 16},
                   {"gemma3.attention.key_length", 128},
                   {"gemma3.attention.value_length", 128},
                   {"gemma3.attention.sliding_window", 1024}};
  EXPECT_EQ(KeptBy(ArchitectureOf(gguf).value()), (Kept{81'920, 52, 1024, 0}));
  // What the file says of its layers goes first: a period, or a truth for each layer.
  gguf.integers["gemma3.attention.sliding_window_pattern"] = 2;
  EXPECT_EQ(KeptBy(ArchitectureOf(gguf).value()), (Kept{31 * 8'192, 31, 1024, 0}));
  gguf.integers["gemma3.attention.sliding_window_pattern"] = 1;
  gguf.integers["gemma3.attention.sliding_window_pattern.layers"] = 60;
  EXPECT_EQ(KeptBy(ArchitectureOf(gguf).value()), (Kept{16'384, 60, 1024, 0}));
}

TEST(ProbeArchitectureTest, GgufWindowsThatLlamaCppDoesNotUse) {
  GgufFacts gguf{.file = "x.gguf"};
  gguf.strings["general.architecture"] = "phi3";
  gguf.integers = {{"phi3.block_count", 32},
                   {"phi3.embedding_length", 3072},
                   {"phi3.attention.head_count", 32},
                   {"phi3.attention.sliding_window", 2047}};
  EXPECT_EQ(KeptBy(ArchitectureOf(gguf).value()), (Kept{393'216, 0, 0, 0}));
}

}  // namespace
}  // namespace llmd::detectors
