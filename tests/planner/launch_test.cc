#include "planner/launch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planner/models.h"

namespace llmd::planner {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace llmd::testing;  // NOLINT(google-build-using-namespace)

Launch LaunchOf(const Model& model, const Asked& asked = {}) {
  const StatusOr<Plan> plan = asked.MakePlan(model);
  EXPECT_TRUE(plan.ok()) << Message(plan.status());
  return plan.ok() ? plan->launch : Launch{};
}

TEST(LaunchTest, AGgufIsServedByLlamaCpp) {
  const Launch launch = LaunchOf(GgufModel());
  EXPECT_EQ(launch.engine, "llama.cpp");
  EXPECT_EQ(launch.bind, "unix");
  EXPECT_EQ(launch.weights, "model/small-Q4_K_M.gguf");
  EXPECT_EQ(launch.loader, "llama.cpp");
  EXPECT_THAT(launch.argv,
              ElementsAre("{python}", "-m", "llm_agent.engines.llama_cpp", "--model", "{weights}",
                          "--socket", "{socket}", "--name", "{name}", "--ctx-size", "{context}",
                          "--parallel", "{parallel}", "--threads", "{threads}"));
  EXPECT_THAT(launch.routes, Contains("POST /v1/chat/completions"));
  EXPECT_THAT(launch.routes, Contains("GET /health"));
  EXPECT_THAT(launch.routes, Not(Contains("POST /api/generate")));
  EXPECT_EQ(launch.context, 8192);
  EXPECT_EQ(launch.threads, 4);
  EXPECT_EQ(launch.name, "org/name");
}

TEST(LaunchTest, AnEmbeddingGgufHasItsOwnRole) {
  Model model = GgufModel();
  model.profile.kind = "embedding";
  model.facts.ggufs = {{.file = "small-Q4_K_M.gguf", .integers = {{"llama.pooling_type", 3}}}};
  const Launch launch = LaunchOf(model);
  EXPECT_EQ(launch.argv.back(), "--embeddings");
  EXPECT_THAT(launch.routes, Contains("POST /v1/embeddings"));
  EXPECT_THAT(launch.routes, Not(Contains("POST /v1/chat/completions")));
}

TEST(LaunchTest, AGgufThatDoesNotSayHowToPoolIsTold) {
  Model model = GgufModel();
  model.profile.kind = "embedding";
  EXPECT_EQ(LaunchOf(model).argv.back(), "last");
  model.profile.architecture = "nomic-bert";
  EXPECT_EQ(LaunchOf(model).argv.back(), "mean");
}

TEST(LaunchTest, AVisionGgufIsGivenItsProjector) {
  Model model = GgufModel();
  model.profile.kind = "vlm";
  model.AddFile("mmproj-f16.gguf", 100'000'000);
  const Launch launch = LaunchOf(model);
  EXPECT_EQ(launch.argv.at(launch.argv.size() - 2), "--mmproj");
  EXPECT_EQ(launch.argv.back(), "{folder}/model/mmproj-f16.gguf");
  EXPECT_EQ(launch.weights, "model/small-Q4_K_M.gguf");
}

TEST(LaunchTest, TheAgentServesTransformersItself) {
  const Launch launch = LaunchOf(SmallModel());
  EXPECT_EQ(launch.engine, "transformers");
  EXPECT_EQ(launch.bind, "inherit");
  EXPECT_THAT(launch.argv, IsEmpty());
  EXPECT_EQ(launch.weights, "model");
  EXPECT_EQ(launch.loader, "AutoModelForCausalLM");
  EXPECT_EQ(launch.kind, "llm");
  EXPECT_THAT(launch.routes,
              ElementsAre("POST /v1/chat/completions", "POST /v1/completions", "GET /health",
                          "GET /v1/models", "POST /api/generate", "GET /api/model/info"));
}

TEST(LaunchTest, AModelInASubfolderIsLoadedFromThere) {
  Model model = SmallModel();
  model.facts.inventory.files.clear();
  model.AddFile("hf/config.json", 100);
  model.AddFile("hf/model.safetensors", 500'000'000);
  model.profile.weight_files = {"hf/model.safetensors"};
  EXPECT_EQ(LaunchOf(model).weights, "model/hf");
}

TEST(LaunchTest, WhatDoesNotFitTheGpuIsKeptOffIt) {
  EXPECT_THAT(LaunchOf(LlamaModel(), {.machine = GpuMachine(1, 24)}).environment, IsEmpty());
  EXPECT_EQ(
      LaunchOf(LlamaModel(), {.machine = GpuMachine(1, 8)}).environment.at("CUDA_VISIBLE_DEVICES"),
      "");
}

TEST(SmokeTest, NamesTheClassesThatMustLoad) {
  const EngineSpec engine{.smoke = {"-c", "code", "{loader}", "{architecture}"}};
  EXPECT_THAT(SmokeArgv(engine, LlamaModel().profile),
              ElementsAre("-c", "code", "AutoModelForCausalLM", "LlamaForCausalLM"));
}

TEST(SmokeTest, WhatIsNoPythonNameIsLeftOut) {
  const EngineSpec engine{.smoke = {"-c", "code", "{loader}", "{architecture}"}};
  Model model = LlamaModel();
  model.profile.loader = "x; import os";
  model.profile.architecture.reset();
  EXPECT_THAT(SmokeArgv(engine, model.profile), ElementsAre("-c", "code"));
}

}  // namespace
}  // namespace llmd::planner
