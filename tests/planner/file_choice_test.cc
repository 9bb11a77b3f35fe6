#include "planner/file_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "planner/models.h"

namespace llmd::planner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace llmd::testing;  // NOLINT(google-build-using-namespace)

FileChoice Choose(const Model& model, const Wish& wish = {}) {
  return ChooseFiles(model.facts, model.profile,
                     SelectWeights(model.facts, model.profile, wish).value());
}

std::vector<std::string> Paths(const FileChoice& choice) {
  std::vector<std::string> paths;
  for (const FileEntry& file : choice.files) paths.push_back(file.path);
  return paths;
}

std::map<std::string, std::string> Skipped(const FileChoice& choice) {
  std::map<std::string, std::string> skipped;
  for (const auto& file : choice.skipped) skipped[file.path] = file.why;
  return skipped;
}

TEST(FileChoiceTest, APlainRepositoryIsTakenWhole) {
  const Model model = LlamaModel();
  const FileChoice choice = Choose(model);
  EXPECT_EQ(choice.files.size(), model.facts.inventory.files.size());
  EXPECT_THAT(choice.skipped, IsEmpty());
  EXPECT_EQ(choice.bytes, 16'069'594'351);
}

TEST(FileChoiceTest, TheSameWeightsInOtherFormatsAreLeftOut) {
  Model model = LlamaModel();
  for (const char* path : {"pytorch_model-00001-of-00001.bin", "tf_model.h5", "flax_model.msgpack",
                           "onnx/model.onnx", "rust_model.ot"}) {
    model.AddFile(path, 16'000'000'000);
  }
  model.AddFile("pytorch_model.bin.index.json", 20'000);
  model.AddFile("onnx/config.json", 900);
  const FileChoice choice = Choose(model);
  EXPECT_EQ(choice.bytes, 16'069'594'351);
  const auto skipped = Skipped(choice);
  EXPECT_EQ(skipped.at("pytorch_model-00001-of-00001.bin"), "same weights in safetensors");
  EXPECT_EQ(skipped.at("pytorch_model.bin.index.json"), "index of weights that are not used");
  EXPECT_THAT(skipped.at("onnx/config.json"), HasSubstr("weights in onnx/"));
  EXPECT_EQ(skipped.size(), 7u);
}

TEST(FileChoiceTest, OneGgufVariantIsFetchedTheOthersAreNamed) {
  const FileChoice choice = Choose(GgufModel(), {.variant = "Q8_0"});
  EXPECT_THAT(Paths(choice), ElementsAre("README.md", "small-Q8_0.gguf"));
  EXPECT_EQ(Skipped(choice).at("small-Q4_K_M.gguf"), "another variant: Q4_K_M");
}

TEST(FileChoiceTest, WhatTrainingLeftPicturesAndForeignCodeAreLeftOut) {
  Model model = LlamaModel();
  for (const char* path : {"optimizer.pt", "training_args.bin", "runs/Jan01/events.out.tfevents.1",
                           ".gitattributes", "checkpoint-500/model.safetensors",
                           "checkpoint-500/config.json", "assets/demo.mp4", "modeling_llama.py"}) {
    model.AddFile(path, 10);
  }
  const auto skipped = Skipped(Choose(model));
  EXPECT_EQ(skipped.at("optimizer.pt"), "left by training");
  EXPECT_EQ(skipped.at("checkpoint-500/config.json"), "left by training");
  EXPECT_EQ(skipped.at("assets/demo.mp4"), "a picture or document");
  EXPECT_EQ(skipped.at("modeling_llama.py"), "code of the repository, not needed");
  EXPECT_EQ(skipped.size(), 8u);
  model.profile.requirements.remote_code = true;
  EXPECT_FALSE(Skipped(Choose(model)).contains("modeling_llama.py"));
}

TEST(FileChoiceTest, APipelineKeepsItsPartsAndDropsTheirOtherPrecisions) {
  Model model;
  for (const char* path :
       {"model_index.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
        "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.bin",
        "vae/config.json", "vae/diffusion_pytorch_model.safetensors", "vae_encoder/model.onnx",
        "vae_encoder/config.json", "sd.safetensors"}) {
    model.AddFile(path, 10);
  }
  model.profile.weight_files = {"unet/diffusion_pytorch_model.safetensors",
                                "vae/diffusion_pytorch_model.safetensors"};
  for (const char* name : {"scheduler", "tokenizer", "unet", "vae"}) {
    model.facts.components.push_back({.name = name, .has_folder = true});
  }
  const FileChoice choice = Choose(model);
  EXPECT_THAT(
      Paths(choice),
      ElementsAre("model_index.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
                  "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json",
                  "vae/diffusion_pytorch_model.safetensors"));
}

TEST(FileChoiceTest, EveryOneOfManyVariantsIsNamed) {
  Model model = GgufModel();
  for (int i = 0; i < 100'000; ++i) {
    const std::string path = "v/small-" + std::to_string(i) + ".gguf";
    model.facts.inventory.files.push_back({.path = path, .size = 1});
    model.profile.variants.push_back({.name = std::to_string(i), .files = {path}});
  }
  EXPECT_EQ(Choose(model).skipped.size(), 100'001u);
}

}  // namespace
}  // namespace llmd::planner
