// Whatever a repository holds, there is an answer or a typed refusal, in bounded time and memory.
#include <gtest/gtest.h>

#include <random>

#include "detectors/repository_maker.h"
#include "golden/golden_case.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;
using testing::FakeRepository;

using Random = std::mt19937;

size_t Below(Random& random, size_t limit) {
  return std::uniform_int_distribution<size_t>(0, limit - 1)(random);
}

template <typename List>
auto Pick(Random& random, const List& list) {
  return list[Below(random, std::size(list))];
}

constexpr const char* kNames[] = {"config.json",
                                  "model_index.json",
                                  "modules.json",
                                  "tokenizer_config.json",
                                  "adapter_config.json",
                                  "model.safetensors",
                                  "model-00001-of-00003.safetensors",
                                  "unet/config.json",
                                  "params.json",
                                  "unet/diffusion_pytorch_model.safetensors",
                                  "m-Q4_K_M.gguf",
                                  "mmproj.gguf",
                                  "llm_config.json",
                                  "sentence_bert_config.json",
                                  "model.safetensors.index.json",
                                  "a.nemo",
                                  "quantize_config.json",
                                  "preprocessor_config.json",
                                  "hf_quant_config.json",
                                  "1_Pooling/config.json",
                                  "x/y/config.json",
                                  "x/y/model.safetensors",
                                  "chat_template.jinja",
                                  "openvino_model.bin",
                                  "vit_config.json",
                                  "ae.safetensors",
                                  "pytorch_model.bin",
                                  "tokenizer.json",
                                  "meta.json",
                                  "chat_template.json"};

constexpr const char* kKeys[] = {"architectures",
                                 "model_type",
                                 "auto_map",
                                 "_class_name",
                                 "hidden_size",
                                 "num_hidden_layers",
                                 "text_config",
                                 "vision_config",
                                 "quantization_config",
                                 "layer_types",
                                 "id2label",
                                 "max_position_embeddings",
                                 "unet",
                                 "architecture",
                                 "pretrained_cfg",
                                 "peft_type",
                                 "base_model_name_or_path",
                                 "chat_template",
                                 "block_configs",
                                 "type",
                                 "path",
                                 "weight_map",
                                 "metadata",
                                 "num_classes",
                                 "bits",
                                 "group_size",
                                 "quant_method",
                                 "sliding_window",
                                 "num_key_value_heads",
                                 "head_dim",
                                 "gen_vision_config"};

json RandomValue(Random& random, int depth) {
  switch (Below(random, depth > 4 ? 8 : 11)) {
    case 0: return nullptr;
    case 1: return true;
    case 2: return -1;
    case 3: return 9223372036854775807;
    case 4: return 1e300;
    case 5: return 0;
    case 6:
      return Pick(random,
                  std::array{"llama", "bert", "LlamaForCausalLM", "StableDiffusionPipeline",
                             "x--../../etc.passwd", "gptq", "\xC3\xA9\x1b[31m", "LORA", ""});
    case 7: return static_cast<int>(Below(random, 100'000));
    case 8: {
      json list = json::array();
      for (size_t i = Below(random, 5); i > 0; --i) list.push_back(RandomValue(random, depth + 1));
      return list;
    }
    default: {
      json object = json::object();
      for (size_t i = Below(random, 6); i > 0; --i)
        object[Pick(random, kKeys)] = RandomValue(random, depth + 1);
      return object;
    }
  }
}

std::string RandomContent(Random& random, const std::string& name) {
  const size_t what = Below(random, 10);
  if (what == 0) return std::string(Below(random, 300), static_cast<char>(Below(random, 256)));
  if (what == 1) return std::string(100'000, '[');
  if (name.ends_with(".gguf")) {
    std::string head =
        testing::GgufHead({{"general.architecture", "llama"}, {"llama.block_count", 4}});
    if (what < 5) head[Below(random, head.size())] = static_cast<char>(Below(random, 256));
    return head;
  }
  if (name.ends_with(".safetensors")) {
    std::string head = testing::SafetensorsHead(json::object(), 1 << 20, "float16");
    if (what < 5) head[Below(random, head.size())] = static_cast<char>(Below(random, 256));
    return head;
  }
  json value = RandomValue(random, 0);
  if (!value.is_object()) value = {{Pick(random, kKeys), value}, {"model_type", "llama"}};
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

TEST(DetectivePropertyTest, AnyRepositoryGetsAnAnswer) {
  for (unsigned seed = 0; seed < 1'500; ++seed) {
    Random random(seed);
    FakeRepository repository;
    for (size_t i = Below(random, 9); i > 0; --i) {
      const std::string name = Pick(random, kNames);
      const std::string content = RandomContent(random, name);
      const auto size = static_cast<int64_t>(Below(random, 3) == 0 ? 1 << 20 : content.size());
      repository.AddListed({.path = name, .size = size}, content);
    }
    const ModelProfile profile = testing::Look(repository);
    EXPECT_FALSE(profile.detector.empty()) << seed;
    EXPECT_FALSE(profile.evidence.empty()) << seed;
    EXPECT_TRUE(profile.detector != "none" || !profile.reasons.empty()) << seed;
    EXPECT_GE(profile.context_length.value_or(1), 1) << seed;
    EXPECT_GE(profile.parameters.value_or(0), 0) << seed;
    EXPECT_GE(profile.memory.weights_bytes, 0) << seed;
    // What people and programs are shown is text.
    const std::string shown = ProfileToJson(profile).dump(-1, ' ', true);
    EXPECT_EQ(shown.find("\\u001b"), std::string::npos) << seed;
  }
}

// A configuration that is genuine but for one value.
TEST(DetectivePropertyTest, AnyValueAnywhereInAGenuineCaseGetsAnAnswer) {
  const auto cases = testing::LoadGoldenCases(LLMD_SOURCE_DIR "/tests/golden/cases");
  for (unsigned seed = 0; seed < 600; ++seed) {
    Random random(seed);
    testing::GoldenCase golden = cases[Below(random, cases.size())];
    json& contents = golden.json["contents"];
    for (auto& [name, content] : contents.items()) {
      if (!content.is_object() || content.empty() || content.contains("$generate") ||
          content.contains("$base64"))
        continue;
      auto member = content.begin();
      std::advance(member, static_cast<long>(Below(random, content.size())));
      *member = RandomValue(random, 0);
    }
    EXPECT_FALSE(testing::Look(*testing::MakeRepository(golden)).detector.empty()) << seed;
  }
}

TEST(DetectivePropertyTest, AHundredThousandFilesAreLookedThrough) {
  FakeRepository repository;
  for (size_t i = 0; i < kMaxInventoryEntries - 10; ++i) {
    repository.AddListed({.path = fmt::format("data/{:04}/{:06}.json", i % 1'000, i), .size = 10});
  }
  EXPECT_EQ(testing::Look(repository).detector, "none");
}

}  // namespace
}  // namespace llmd::detectors
