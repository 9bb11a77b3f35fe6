#include "detectors/detective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "detectors/repository_maker.h"
#include "support/temp_folder.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;
using testing::AddJson;
using testing::AddWeights;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FakeRepository;
using testing::GgufHead;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Look;

std::vector<std::string> VariantNames(const ModelProfile& profile) {
  std::vector<std::string> names;
  for (const auto& variant : profile.variants) names.push_back(variant.name);
  return names;
}

TEST(DetectiveTest, APlainChatModel) {
  const auto repository = testing::LlamaRepository();
  AddJson(*repository, "tokenizer_config.json", {{"chat_template", "{{ messages }} {{ tools }}"}});
  const ModelProfile profile = Look(*repository);
  EXPECT_EQ(profile.detector, "transformers");
  EXPECT_EQ(profile.kind, "llm");
  EXPECT_EQ(profile.architecture, "LlamaForCausalLM");
  EXPECT_EQ(profile.loader, "AutoModelForCausalLM");
  EXPECT_EQ(profile.dtype, "bfloat16");
  EXPECT_EQ(profile.context_length, 2048);
  EXPECT_THAT(profile.capabilities, ElementsAre("chat", "completion", "tools"));
  EXPECT_THAT(profile.weight_files, ElementsAre("model.safetensors"));
  EXPECT_EQ(profile.memory.weights_bytes, 1 << 20);
  EXPECT_GT(profile.parameters.value_or(0), 0);
  EXPECT_THAT(profile.reasons, IsEmpty());
}

TEST(DetectiveTest, EvidenceNamesEveryDetectorUpToTheAnswer) {
  const ModelProfile profile = Look(*testing::LlamaRepository());
  ASSERT_GE(profile.evidence.size(), 2u);
  EXPECT_EQ(profile.evidence.front().detector, "gguf");
  EXPECT_FALSE(profile.evidence.front().matched);
  EXPECT_EQ(profile.evidence.back().detector, "transformers");
  EXPECT_TRUE(profile.evidence.back().matched);
  for (const auto& entry : profile.evidence) EXPECT_FALSE(entry.because.empty()) << entry.detector;
}

TEST(DetectiveTest, EvidenceIsInWordsOfPeople) {
  const ModelProfile profile = Look(*testing::LlamaRepository());
  std::string all;
  for (const auto& entry : profile.evidence) all += entry.because + "\n";
  for (const char* internal : {"gguf.only", "part.kind", "config.describes", "config.class",
                               "pipeline.class", "is not known", "is false", "is true"}) {
    EXPECT_THAT(all, ::testing::Not(HasSubstr(internal)));
  }
  EXPECT_THAT(all, HasSubstr("no GGUF, or not as the only weights"));
  EXPECT_THAT(all, HasSubstr("config.json names no diffusers class"));
  EXPECT_THAT(profile.evidence.back().because, HasSubstr("config.json"));
}

// The same base under six heads is six things.
TEST(DetectiveTest, TheHeadDecides) {
  const std::vector<std::array<const char*, 3>> heads = {
      {"Qwen2ForCausalLM", "llm", "AutoModelForCausalLM"},
      {"Qwen2ForSequenceClassification", "text-classification",
       "AutoModelForSequenceClassification"},
      {"Qwen2ForTokenClassification", "token-classification", "AutoModelForTokenClassification"},
      {"Qwen2ForQuestionAnswering", "question-answering", "AutoModelForQuestionAnswering"},
      {"Qwen2Model", "embedding", "AutoModel"}};
  for (const auto& [architecture, kind, loader] : heads) {
    const auto repository = testing::LlamaRepository();
    json config = testing::LlamaConfig();
    config.update({{"architectures", {architecture}}, {"model_type", "qwen2"}});
    AddJson(*repository, "config.json", config);
    const ModelProfile profile = Look(*repository);
    EXPECT_EQ(profile.kind, kind) << architecture;
    EXPECT_EQ(profile.loader, loader) << architecture;
  }
}

TEST(DetectiveTest, OneLabelAndARankingTagIsAReranker) {
  const auto repository = testing::LlamaRepository();
  json config = testing::LlamaConfig();
  config.update({{"architectures", {"BertForSequenceClassification"}},
                 {"model_type", "bert"},
                 {"id2label", {{"0", "x"}}}});
  AddJson(*repository, "config.json", config);
  EXPECT_EQ(Look(*repository).kind, "text-classification");
  repository->mutable_info().pipeline_tag = "text-ranking";
  EXPECT_EQ(Look(*repository).kind, "reranker");
  EXPECT_EQ(Look(*repository).loader, "CrossEncoder");
}

TEST(DetectiveTest, TagsDoNotOverruleTheConfiguration) {
  const auto repository = testing::LlamaRepository();
  repository->mutable_info().repo_id = "acme/whisper-flux-cosmos-bagel";
  repository->mutable_info().tags = {"controlnet",       "flux", "cosmos", "whisper",
                                     "stable-diffusion", "lora"};
  const ModelProfile profile = Look(*repository);
  EXPECT_EQ(profile.detector, "transformers");
  EXPECT_EQ(profile.kind, "llm");
}

TEST(DetectiveTest, AGgufBesideACheckpointIsAVariant) {
  const auto repository = testing::LlamaRepository();
  repository->AddListed({.path = "m-Q4_K_M.gguf", .size = 5'000},
                        GgufHead({{"general.architecture", "llama"}}));
  repository->AddListed({.path = "onnx/model.onnx", .size = 5'000});
  AddWeights(*repository, "lora/adapter_model.safetensors");
  AddJson(*repository, "lora/adapter_config.json", {{"peft_type", "LORA"}});
  const ModelProfile profile = Look(*repository);
  EXPECT_EQ(profile.detector, "transformers");
  EXPECT_THAT(VariantNames(profile), ::testing::UnorderedElementsAre("Q4_K_M", "onnx", "lora"));
}

TEST(DetectiveTest, GgufVariantsTheChosenOneFirst) {
  FakeRepository repository;
  for (const char* name : {"m-F16.gguf", "m-Q8_0.gguf", "m-Q4_K_M.gguf"}) {
    repository.AddListed({.path = name, .size = 5'000}, GgufHead({{"general.architecture", "llama"},
                                                                  {"llama.context_length", 4096}}));
  }
  repository.AddListed({.path = "mmproj-F16.gguf", .size = 5'000},
                       GgufHead({{"general.architecture", "clip"}}));
  const ModelProfile profile = Look(repository);
  EXPECT_EQ(profile.detector, "gguf");
  EXPECT_EQ(profile.kind, "vlm");
  EXPECT_EQ(profile.context_length, 4096);
  EXPECT_THAT(VariantNames(profile), ElementsAre("Q4_K_M", "Q8_0", "F16"));
  EXPECT_THAT(profile.weight_files, ElementsAre("m-Q4_K_M.gguf", "mmproj-F16.gguf"));
}

TEST(DetectiveTest, APipelineAndItsParts) {
  FakeRepository repository;
  AddJson(repository, "model_index.json",
          {{"_class_name", "StableDiffusionPipeline"},
           {"unet", {"diffusers", "UNet2DConditionModel"}},
           {"vae", {"diffusers", "AutoencoderKL"}},
           {"tokenizer", {"transformers", "CLIPTokenizer"}}});
  AddJson(repository, "tokenizer/tokenizer_config.json", json::object());
  AddWeights(repository, "unet/diffusion_pytorch_model.safetensors");
  AddWeights(repository, "unet/diffusion_pytorch_model.fp16.safetensors");
  AddWeights(repository, "vae/diffusion_pytorch_model.safetensors");
  const ModelProfile profile = Look(repository);
  EXPECT_EQ(profile.detector, "diffusers");
  EXPECT_EQ(profile.kind, "diffusion-image");
  EXPECT_EQ(profile.architecture, "StableDiffusionPipeline");
  EXPECT_EQ(profile.components.size(), 3u);
  EXPECT_THAT(profile.weight_files, ElementsAre("unet/diffusion_pytorch_model.safetensors",
                                                "vae/diffusion_pytorch_model.safetensors"));
  EXPECT_THAT(VariantNames(profile), ElementsAre("fp16"));
  EXPECT_THAT(profile.reasons, IsEmpty());
}

TEST(DetectiveTest, MissingPartsAreNamed) {
  FakeRepository repository;
  AddJson(repository, "model_index.json",
          {{"_class_name", "StableDiffusionPipeline"},
           {"unet", {"diffusers", "UNet2DConditionModel"}},
           {"vae", {"diffusers", "AutoencoderKL"}},
           {"scheduler", {"diffusers", "DDIMScheduler"}}});
  AddWeights(repository, "vae/diffusion_pytorch_model.safetensors");
  AddJson(repository, "unet/config.json", json::object());
  const ModelProfile profile = Look(repository);
  EXPECT_THAT(profile.reasons, Contains(HasSubstr("scheduler, unet")));
}

TEST(DetectiveTest, CodeOfTheRepositoryIsNamedInTheEvidence) {
  const auto repository = testing::LlamaRepository();
  json config = testing::LlamaConfig();
  config.update({{"architectures", {"FooForCausalLM"}},
                 {"model_type", "foo"},
                 {"auto_map",
                  {{"AutoConfig", "configuration_foo.FooConfig"},
                   {"AutoModelForCausalLM", "modeling_foo.FooForCausalLM"}}}});
  AddJson(*repository, "config.json", config);
  repository->Add("configuration_foo.py", "");
  repository->Add("modeling_foo.py", "");
  const ModelProfile profile = Look(*repository);
  EXPECT_TRUE(profile.requirements.remote_code);
  EXPECT_EQ(profile.loader, "AutoModelForCausalLM");
  EXPECT_THAT(profile.evidence.back().because, HasSubstr("configuration_foo.py, modeling_foo.py"));
}

TEST(DetectiveTest, WhatCannotBeLoadedSaysWhy) {
  const auto look = [](const std::string& path, const std::string& content, int64_t size = 0) {
    const auto repository = testing::LlamaRepository();
    repository->AddListed(
        {.path = path, .size = size == 0 ? static_cast<int64_t>(content.size()) : size}, content);
    const ModelProfile profile = Look(*repository);
    return profile.reasons.empty() ? std::string("no reason") : profile.reasons.front();
  };
  EXPECT_THAT(look("config.json", R"({"architectures": ["FooForCausalLM"], "model_type": "foo"})"),
              HasSubstr("model_type 'foo' is not known to transformers"));
  EXPECT_THAT(look("config.json", "{\"model_type\": "), HasSubstr("config.json:"));
  EXPECT_THAT(look("config.json", "{}"), HasSubstr("config.json names neither model_type"));
  EXPECT_THAT(look("model.safetensors", "junk junk junk", 5'000), HasSubstr("model.safetensors"));
}

// What stands in a file decides, and whether a model of that size fits into it at all.
TEST(DetectiveTest, TinyWeightFilesAreCalledWhatTheyAre) {
  const auto look = [](const std::string& path, const std::string& content) {
    const auto repository = testing::LlamaRepository();
    repository->Remove("model.safetensors");
    repository->Add(path, content);
    const ModelProfile profile = Look(*repository);
    return profile.reasons.empty() ? std::string("no reason") : profile.reasons.front();
  };
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  const std::string tiny = testing::SafetensorsHead(json::object(), 300, "float16");
  for (const char* path : {"model.safetensors", "pytorch_model.bin"}) {
    EXPECT_THAT(look(path, pointer), HasSubstr("bytes: a Git LFS pointer")) << path;
    EXPECT_THAT(look(path, ""), HasSubstr("is empty")) << path;
    EXPECT_THAT(look(path, "junk junk junk"), HasSubstr("broken")) << path;
  }
  EXPECT_THAT(look("pytorch_model.bin", "\x80\x02}."), HasSubstr("describes a model of 2 layers"));
  EXPECT_EQ(look("model.safetensors", tiny + std::string(300 - tiny.size(), 'w')), "no reason");
}

TEST(DetectiveTest, NothingIsSaidPlainly) {
  FakeRepository empty;
  const ModelProfile profile = Look(empty);
  EXPECT_EQ(profile.detector, "none");
  EXPECT_EQ(profile.kind, "unsupported");
  EXPECT_THAT(profile.reasons, Contains(HasSubstr("looked for *.gguf, model_index.json")));
  EXPECT_EQ(profile.evidence.back().detector, "none");
}

TEST(DetectiveTest, AnApiClientIsNamedByItsFileAndKey) {
  FakeRepository repository;
  repository.Add("app.py", "");
  AddJson(repository, "llm_config.json",
          {{"model_type", "chat"}, {"vocab_size", 128'000}, {"api_key", "x"}});
  const ModelProfile profile = Look(repository);
  EXPECT_EQ(profile.kind, "unsupported");
  EXPECT_THAT(profile.reasons.front(), HasSubstr("llm_config.json describes the client of an API"));
  EXPECT_THAT(profile.reasons.front(), HasSubstr("api_key"));
  EXPECT_THAT(profile.reasons.front(), HasSubstr("no weights; app.py"));
}

TEST(DetectiveTest, GatedFilesLeaveTheHubsSentence) {
  const auto repository = testing::LlamaRepository();
  const Status gated = MakeStatus(StatusCode::kPermissionDenied,
                                  "acme/tiny is gated; ask for access", {.code = "gated"});
  for (const char* path : {"config.json", "tokenizer.json", "model.safetensors"})
    repository->Fail(path, gated);
  EXPECT_THAT(Look(*repository).reasons, Contains(HasSubstr("ask for access")));
}

// A type of model that no release knows: one file of the user's, at run time.
TEST(DetectiveTest, AUserRuleAddsAModelType) {
  const testing::TempFolder user;
  ::chmod(user.Write("glacier.yaml", R"(schema: 1
id: glacier
when: {json: config.json, at: /model_type, matches: glacier}
set:
  layout: checkpoint
  kind: embedding
  architecture: "{config.architecture}"
  model_type: "{config.model_type}"
  loader: SentenceTransformer
capabilities:
  sparse: {json: glacier.json, at: /sparse, is: true}
)")
              .c_str(),
          0644);
  const auto detective = Detective::Load(testing::kRulesDir, user.path()).value();
  EXPECT_THAT(detective->user_rule_errors(), IsEmpty());
  const auto repository = testing::LlamaRepository();
  json config = testing::LlamaConfig();
  config.update({{"architectures", {"GlacierEncoder"}}, {"model_type", "glacier"}});
  AddJson(*repository, "config.json", config);
  AddJson(*repository, "glacier.json", {{"sparse", true}});
  const ModelProfile profile = Look(*repository, *detective);
  EXPECT_EQ(profile.detector, "glacier");
  EXPECT_EQ(profile.kind, "embedding");
  EXPECT_EQ(profile.architecture, "GlacierEncoder");
  EXPECT_THAT(profile.capabilities, ElementsAre("sparse"));
  EXPECT_EQ(profile.evidence.back().detector, "glacier (user rule)");
  EXPECT_THAT(profile.reasons, IsEmpty());
  // Without the file it is what no library knows.
  EXPECT_THAT(Look(*repository).reasons, Contains(HasSubstr("model_type 'glacier'")));
}

TEST(DetectiveTest, RulesThatCannotBeReadAreAnError) {
  EXPECT_FALSE(Detective::Load("/nowhere", "").ok());
}

}  // namespace
}  // namespace llmd::detectors
