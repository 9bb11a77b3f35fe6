#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detectors/probe_safetensors.h"
#include "detectors/repository_maker.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;
using testing::AddJson;
using testing::AddWeights;
using testing::FakeRepository;
using ::testing::HasSubstr;

StatusOr<Facts> Gather(FakeRepository& repository) {
  CancelSource cancel;
  return GatherFacts(repository, cancel.token(), testing::OurDetective().gather_options());
}

TEST(GatherFactsTest, ReadsOneBatchAndNothingElse) {
  const auto repository = testing::LlamaRepository();
  repository->Add("README.md", "text");
  repository->Add("modeling_x.py", "code");
  const Facts facts = Gather(*repository).value();
  EXPECT_NE(facts.documents.at("config.json").json, nullptr);
  EXPECT_EQ(facts.safetensors->files.size(), 1u);
  EXPECT_TRUE(facts.architecture.has_value());
  ASSERT_EQ(repository->prefetches().size(), 1u);
  std::set<std::string> batch;
  const auto prefetches = repository->prefetches();
  for (const auto& read : prefetches[0]) batch.insert(read.path);
  for (const std::string& read : repository->reads()) {
    EXPECT_TRUE(batch.contains(read.substr(0, read.find(' ')))) << read << " was not in the batch";
  }
  EXPECT_FALSE(batch.contains("README.md"));
  EXPECT_FALSE(batch.contains("modeling_x.py"));
}

TEST(GatherFactsTest, OfWeightsOnlyTheHeaderIsRead) {
  FakeRepository repository;
  AddJson(repository, "config.json", testing::LlamaConfig());
  AddWeights(repository, "model.safetensors", int64_t{100} << 30);
  ASSERT_TRUE(Gather(repository).ok());
  const auto prefetches = repository.prefetches();
  for (const auto& read : prefetches[0]) EXPECT_LE(read.length, 8 << 20) << read.path;
}

TEST(GatherFactsTest, ALongHeaderIsReadInTwoPieces) {
  FakeRepository repository;
  std::string header = "{";
  for (int i = 0; i < 3'000; ++i) {
    header += fmt::format(
        R"({}"layer.{}.weight": {{"dtype": "F32", "shape": [1], "data_offsets": [{}, {}]}})",
        i == 0 ? "" : ",", i, 4 * i, 4 * i + 4);
  }
  header += "}";
  ASSERT_GT(header.size(), static_cast<size_t>(kFirstSafetensorsBytes));
  std::string head;
  for (int i = 0; i < 8; ++i) head.push_back(static_cast<char>((header.size() >> (8 * i)) & 0xFF));
  const auto size = static_cast<int64_t>(8 + header.size() + 12'000);
  repository.AddListed({.path = "model.safetensors", .size = size}, head + header);
  EXPECT_EQ(Gather(repository)->safetensors->parameters, 3'000);
}

TEST(GatherFactsTest, ManyShardsAreSampled) {
  FakeRepository repository;
  AddJson(repository, "config.json", testing::LlamaConfig());
  for (int i = 1; i <= 163; ++i) {
    AddWeights(repository, fmt::format("model-{:05}-of-00163.safetensors", i));
  }
  const Facts facts = Gather(repository).value();
  EXPECT_EQ(facts.safetensors->files.size(), 2u);
  EXPECT_FALSE(facts.safetensors->whole);
}

TEST(GatherFactsTest, BrokenFilesAreFacts) {
  FakeRepository repository;
  repository.Add("config.json", "{\"a\": ");
  repository.AddListed({.path = "model.safetensors", .size = 5'000}, std::string(5'000, 'x'));
  repository.AddListed({.path = "tokenizer_config.json", .size = int64_t{100} << 20}, "");
  const Facts facts = Gather(repository).value();
  EXPECT_THAT(facts.documents.at("config.json").error, HasSubstr("config.json:"));
  EXPECT_THAT(facts.safetensors->error, HasSubstr("model.safetensors"));
  EXPECT_THAT(facts.documents.at("tokenizer_config.json").error,
              HasSubstr("tokenizer_config.json"));
}

TEST(GatherFactsTest, ATruncatedGgufGivesWayToASoundOne) {
  FakeRepository repository;
  repository.AddListed({.path = "m-Q4_K_M.gguf", .size = int64_t{40} << 30}, "GGUF");
  repository.AddListed({.path = "m-Q8_0.gguf", .size = int64_t{80} << 30},
                       testing::GgufHead({{"general.architecture", "llama"}}));
  const Facts facts = Gather(repository).value();
  ASSERT_EQ(facts.ggufs.size(), 2u);
  EXPECT_EQ(facts.ggufs[0].file, "m-Q8_0.gguf");
  EXPECT_THAT(facts.ggufs[1].error, HasSubstr("m-Q4_K_M.gguf"));
}

TEST(GatherFactsTest, AnAnswerWithoutTheFileCountsByTheFile) {
  const Status answer = MakeStatus(StatusCode::kUnavailable, "answered 501", {.code = "hub_error"});
  const auto repository = testing::LlamaRepository();
  AddJson(*repository, "tokenizer_config.json", json::object());
  repository->Fail("tokenizer_config.json", answer);
  EXPECT_THAT(Gather(*repository)->documents.at("tokenizer_config.json").error, HasSubstr("501"));
  repository->Fail("config.json", answer);
  EXPECT_EQ(Gather(*repository).status().code(), StatusCode::kUnavailable);
}

TEST(GatherFactsTest, AHeaderThatCannotBeHadIsOnlyMissing) {
  const auto repository = testing::LlamaRepository();
  repository->Fail("model.safetensors", Unavailable("the server is busy"));
  const Facts facts = Gather(*repository).value();
  EXPECT_FALSE(facts.safetensors.has_value());
  EXPECT_EQ(testing::OurDetective().Inspect(facts).reasons.size(), 0u);
}

TEST(GatherFactsTest, AGgufThatCannotBeHadGivesWayToAnother) {
  FakeRepository repository;
  repository.AddListed({.path = "m-Q4_K_M.gguf", .size = 5'000});
  repository.AddListed({.path = "m-Q8_0.gguf", .size = 5'000},
                       testing::GgufHead({{"general.architecture", "llama"}}));
  repository.Fail("m-Q4_K_M.gguf", Unavailable("the server is busy"));
  EXPECT_EQ(Gather(repository)->ggufs.at(0).file, "m-Q8_0.gguf");
  repository.Fail("m-Q8_0.gguf", Unavailable("the server is busy"));
  EXPECT_EQ(Gather(repository).status().code(), StatusCode::kUnavailable);
}

TEST(GatherFactsTest, BeingCutOffIsAnError) {
  const auto repository = testing::LlamaRepository();
  repository->Fail("config.json", Unavailable("no network"));
  EXPECT_EQ(Gather(*repository).status().code(), StatusCode::kUnavailable);
  CancelSource cancel;
  cancel.Cancel();
  EXPECT_EQ(GatherFacts(*repository, cancel.token()).status().code(), StatusCode::kCancelled);
}

TEST(GatherFactsTest, GatedFilesAreFacts) {
  const auto repository = testing::LlamaRepository();
  const Status gated =
      MakeStatus(StatusCode::kPermissionDenied, "gated: ask for access", {.code = "gated"});
  for (const char* path : {"config.json", "tokenizer.json", "model.safetensors"}) {
    repository->Fail(path, gated);
  }
  const Facts facts = Gather(*repository).value();
  EXPECT_THAT(facts.access_error, HasSubstr("ask for access"));
  EXPECT_EQ(facts.documents.at("config.json").json, nullptr);
}

TEST(GatherFactsTest, AnUnsafeListIsRefused) {
  FakeRepository repository;
  repository.AddListed({.path = "../../.bashrc", .size = 1});
  const Facts facts = Gather(repository).value();
  EXPECT_THAT(facts.refusal, HasSubstr("path"));
  EXPECT_TRUE(facts.inventory.files.empty());
}

TEST(GatherFactsTest, PartsOfAPipelineInTheirOrder) {
  FakeRepository repository;
  AddJson(repository, "model_index.json",
          {{"_class_name", "X"},
           {"unet", {"diffusers", "UNet2DConditionModel"}},
           {"image_encoder", {nullptr, nullptr}},
           {"flag", true},
           {"vae", {"diffusers", "AutoencoderKL"}}});
  AddWeights(repository, "unet/diffusion_pytorch_model.safetensors");
  const Facts facts = Gather(repository).value();
  ASSERT_EQ(facts.components.size(), 2u);
  EXPECT_TRUE(facts.components[0].has_folder);
  EXPECT_FALSE(facts.components[1].has_folder);
  EXPECT_TRUE(facts.part_headers.contains("unet"));
}

}  // namespace
}  // namespace llmd::detectors
