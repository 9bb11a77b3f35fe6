#include "planner/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planner/memory_demand.h"
#include "planner/models.h"

namespace llmd::planner {
namespace {

using ::testing::HasSubstr;
using namespace llmd::testing;  // NOLINT(google-build-using-namespace)
using Kind = LayerGroup::Kind;

MemoryEstimate Estimate(const Model& model, const MachineFacts& machine, const Wish& wish = {}) {
  const Subject subject{.profile = model.profile, .facts = model.facts, .machine = machine};
  const Selection selection = SelectWeights(model.facts, model.profile, wish).value();
  const auto fits = FitEngines(subject, wish, OurEngines(), selection);
  return EstimateMemory(subject, wish, *ChooseEngine(fits, wish, selection));
}

struct CacheCase {
  const char* name;
  std::vector<LayerGroup> cache;
  int64_t context;
  int64_t bytes;
};

class CacheTest : public ::testing::TestWithParam<CacheCase> {};

TEST_P(CacheTest, CountsWhatIsKept) {
  const ArchitectureFacts architecture{.cache = GetParam().cache};
  EXPECT_EQ(CacheBytes(architecture, GetParam().context, 2), GetParam().bytes);
}

INSTANTIATE_TEST_SUITE_P(
    All, CacheTest,
    ::testing::Values(
        // Llama 3.1 8B: 32 layers x 2 x 8 heads x 128.
        CacheCase{"Gqa", {{.layers = 32, .elements_per_token = 2048}}, 4096, 131'072LL * 4096},
        // DeepSeek: one compressed vector of 512 + 64 a token.
        CacheCase{"Mla",
                  {{.kind = Kind::kLatent, .layers = 61, .elements_per_token = 576}},
                  1000,
                  61LL * 576 * 2 * 1000},
        // Gemma: most layers keep 512 tokens.
        CacheCase{"Sliding",
                  {{.kind = Kind::kSliding, .layers = 22, .elements_per_token = 512, .window = 512},
                   {.layers = 4, .elements_per_token = 512}},
                  8192,
                  22LL * 512 * 2 * 512 + 4LL * 512 * 2 * 8192},
        CacheCase{"SlidingBelowItsWindow",
                  {{.kind = Kind::kSliding, .layers = 2, .elements_per_token = 10, .window = 512}},
                  100,
                  2LL * 10 * 2 * 100},
        // Mamba: the same at any length, in float32.
        CacheCase{"Recurrent",
                  {{.kind = Kind::kRecurrent, .layers = 24, .state_elements = 1000}},
                  8192,
                  24LL * 1000 * 4},
        CacheCase{"Cross",
                  {{.layers = 6, .elements_per_token = 100},
                   {.kind = Kind::kCross, .layers = 6, .elements_per_token = 100, .window = 1500}},
                  448,
                  6LL * 100 * 2 * 448 + 6LL * 100 * 2 * 1500},
        CacheCase{"None", {}, 8192, 0},
        CacheCase{"Absurd",
                  {{.layers = int64_t{1} << 40, .elements_per_token = int64_t{1} << 40},
                   {.layers = int64_t{1} << 40, .elements_per_token = int64_t{1} << 40}},
                  int64_t{1} << 40,
                  int64_t{1} << 62}),
    [](const auto& info) { return info.param.name; });

TEST(MemoryTest, ABigModelOnAWorkstation) {
  const MemoryEstimate estimate = Estimate(LlamaModel(), LinuxMachine(24));
  EXPECT_EQ(estimate.weights_bytes, 16'060'522'496);
  EXPECT_EQ(estimate.kv_bytes_per_token, 131'072);
  EXPECT_EQ(estimate.context, 4096);
  EXPECT_EQ(estimate.kv_bytes, 131'072LL * 4096);
  EXPECT_EQ(estimate.required_bytes, estimate.weights_bytes + estimate.kv_bytes +
                                         estimate.work_bytes + estimate.process_bytes);
  EXPECT_EQ(estimate.host_bytes, estimate.required_bytes);
  EXPECT_GT(estimate.largest_context, 4096);
  EXPECT_LT(estimate.largest_context, 131'072);
  EXPECT_EQ(estimate.fits, "yes");
}

TEST(MemoryTest, HeadersAreBelievedBeforeSizes) {
  Model model = LlamaModel();
  model.facts.safetensors =
      SafetensorsFacts{.files = model.profile.weight_files, .weight_bytes = 16'060'000'000};
  EXPECT_EQ(Estimate(model, LinuxMachine()).weights_bytes, 16'060'000'000);
  model.facts.safetensors->files.pop_back();  // of other files than those that are used
  EXPECT_EQ(Estimate(model, LinuxMachine()).weights_bytes, 16'060'522'496);
}

TEST(MemoryTest, ItDoesNotFitWithFigures) {
  const MemoryEstimate estimate = Estimate(LlamaModel(), LinuxMachine(12));
  EXPECT_EQ(estimate.fits, "no");
  EXPECT_EQ(estimate.largest_context, 0);
  EXPECT_THAT(estimate.refusal, HasSubstr("11.0 GiB can be used here"));
}

TEST(MemoryTest, ItIsTightWhereOthersHaveTheMemory) {
  MachineFacts machine = LinuxMachine(64);
  machine.memory_available_bytes = 8 * kGiB;
  EXPECT_EQ(Estimate(LlamaModel(), machine).fits, "tight");
  EXPECT_EQ(Estimate(LlamaModel(), LinuxMachine(64)).fits, "yes");
  EXPECT_EQ(Estimate(LlamaModel(), LinuxMachine(20)).fits, "tight");
}

TEST(MemoryTest, TheContextShrinksUntilItFits) {
  Model model = LlamaModel();
  SetCache(model, {{.layers = 32, .elements_per_token = 65'536}});  // 4 MiB a token
  const MemoryEstimate estimate = Estimate(model, LinuxMachine(24));
  EXPECT_LT(estimate.context, 4096);
  EXPECT_EQ(estimate.context, estimate.largest_context);
  EXPECT_NE(estimate.fits, "no");
}

TEST(MemoryTest, AWishedContextIsNotShrunk) {
  Model model = LlamaModel();
  const MemoryEstimate estimate = Estimate(model, LinuxMachine(24), {.context = 131'072});
  EXPECT_EQ(estimate.context, 131'072);
  EXPECT_EQ(estimate.fits, "no");
  EXPECT_THAT(estimate.refusal, HasSubstr("tokens of context would fit"));
}

TEST(MemoryTest, FewerAtOnceRatherThanNotAtAll) {
  Model model = GgufModel();
  SetCache(model, {{.layers = 32, .elements_per_token = 16'384}});  // 1 MiB a token
  EXPECT_EQ(Estimate(model, LinuxMachine(64)).parallel, 4);
  EXPECT_EQ(Estimate(model, LinuxMachine(24)).parallel, 2);
  EXPECT_EQ(Estimate(model, LinuxMachine(12)).parallel, 1);
}

TEST(MemoryTest, OneGpuWhereItIsEnough) {
  const MemoryEstimate estimate = Estimate(LlamaModel(), GpuMachine(1, 24));
  EXPECT_TRUE(estimate.on_gpu);
  EXPECT_EQ(estimate.host_bytes, estimate.process_bytes);
  EXPECT_EQ(estimate.fits, "yes");
}

TEST(MemoryTest, SeveralGpusWhereOneIsNot) {
  Model model = LlamaModel();
  for (FileEntry& file : model.facts.inventory.files) file.size *= 4;
  EXPECT_TRUE(Estimate(model, GpuMachine(8, 24)).on_gpu);
  EXPECT_EQ(Estimate(model, GpuMachine(8, 24)).fits, "yes");
  // Two are not enough, the main memory is.
  const MemoryEstimate on_cpu = Estimate(model, GpuMachine(2, 24, 256));
  EXPECT_FALSE(on_cpu.on_gpu);
  EXPECT_EQ(on_cpu.fits, "yes");
}

TEST(MemoryTest, MixedGpus) {
  MachineFacts machine = GpuMachine(1, 8);
  machine.gpus.push_back(NvidiaGpu(80));
  machine.gpus.push_back({.name = "other", .vendor = "amd", .memory_bytes = 999 * kGiB});
  const MemoryEstimate estimate = Estimate(LlamaModel(), machine);
  EXPECT_TRUE(estimate.on_gpu);
  EXPECT_EQ(estimate.fits, "yes");
}

TEST(MemoryTest, UnifiedMemoryIsSharedWithTheSystem) {
  EXPECT_EQ(Estimate(LlamaModel(), MacMachine(64)).fits, "yes");
  EXPECT_EQ(Estimate(LlamaModel(), MacMachine(16)).fits, "no");
}

TEST(MemoryTest, APipelineMovesItsPartsToAGpuThatIsTooSmallForAll) {
  const EngineSpec engine{
      .id = "pictures",
      .formats = {"safetensors"},
      .serves = {{.kind = "diffusion-image", .activation_bytes = 2 * kGiB}},
      .quantizations = {{.name = "none"}},
      .weights_on_gpu = {"cuda"},
      .process_bytes = kGiB,
      .offload = true,
  };
  Model model;
  model.profile.kind = "diffusion-image";
  model.AddFile("transformer/model.safetensors", 12 * kGiB);
  model.AddFile("text_encoder/model.safetensors", 9 * kGiB);
  model.profile.weight_files = {"transformer/model.safetensors", "text_encoder/model.safetensors"};
  model.facts.components = {{.name = "transformer"}, {.name = "text_encoder"}};
  const auto estimate = [&](const MachineFacts& machine) {
    const Subject subject{.profile = model.profile, .facts = model.facts, .machine = machine};
    const Selection selection = SelectWeights(model.facts, model.profile, {}).value();
    const std::vector<EngineSpec> engines = {engine};
    const auto fits = FitEngines(subject, {}, engines, selection);
    return EstimateMemory(subject, {}, fits.front());
  };

  const MemoryEstimate whole = estimate(GpuMachine(1, 24));
  EXPECT_TRUE(whole.on_gpu);
  EXPECT_FALSE(whole.offload);
  EXPECT_EQ(whole.device_bytes, 23 * kGiB);
  EXPECT_EQ(whole.host_bytes, kGiB);

  const MemoryEstimate parts = estimate(GpuMachine(1, 16));
  EXPECT_TRUE(parts.offload);
  EXPECT_EQ(parts.device_bytes, 14 * kGiB);
  EXPECT_EQ(parts.host_bytes, 22 * kGiB);
  EXPECT_THAT(parts.basis, ::testing::Contains(HasSubstr("largest part: transformer, 12.0 GiB")));

  const MemoryEstimate cpu = estimate(GpuMachine(1, 8));
  EXPECT_FALSE(cpu.on_gpu);
  EXPECT_EQ(cpu.host_bytes, 24 * kGiB);
  EXPECT_EQ(estimate(GpuMachine(1, 8, 16)).fits, "no");
}

TEST(MemoryTest, WhatPartsTakeOnAGpuIsNotWhatTheyTakeWithoutOne) {
  Model model;
  model.profile.kind = "diffusion-image";
  model.profile.dtype = "bfloat16";
  model.profile.architecture = "FluxPipeline";
  model.AddFile("transformer/model.safetensors", 22 * kGiB);
  model.AddFile("text_encoder_2/model.safetensors", 9 * kGiB);
  model.profile.weight_files = {"transformer/model.safetensors",
                                "text_encoder_2/model.safetensors"};
  model.facts.components = {{.name = "transformer"}, {.name = "text_encoder_2"}};
  const EngineSpec engine{
      .id = "pictures",
      .formats = {"safetensors"},
      .serves = {{.kind = "diffusion-image", .activation_bytes = 3 * kGiB}},
      .quantizations = {{.name = "none"}},
      .weights_on_gpu = {"cuda"},
      .cpu_element_bytes = 4,
      .gpu_element_bytes = 2,
      .offload = true,
  };
  const MachineFacts machine = LinuxMachine(128);
  const Subject subject{.profile = model.profile, .facts = model.facts, .machine = machine};
  const Selection selection = SelectWeights(model.facts, model.profile, {}).value();
  const std::vector<EngineSpec> engines = {engine};
  const auto fits = FitEngines(subject, {}, engines, selection);
  const MemoryEstimate estimate = EstimateMemory(subject, {}, fits.front());
  EXPECT_EQ(estimate.weights_bytes, 62 * kGiB);
  EXPECT_THAT(estimate.basis,
              ::testing::IsSupersetOf({"largest part: transformer, 22.0 GiB",
                                       "on a GPU: about 34.0 GiB with all parts there, about 25.0 "
                                       "GiB with one at a time"}));
}

TEST(MemoryTest, WeightsThatAreUnpackedTakeSixteenBits) {
  Model model = LlamaModel();
  model.profile.quantization = "fp8";
  for (FileEntry& file : model.facts.inventory.files) file.size /= 2;
  EXPECT_EQ(Estimate(model, LinuxMachine(64)).weights_bytes, 2 * 8'030'261'248);
  EXPECT_LT(Estimate(model, GpuMachine(1, 24)).weights_bytes, 9'000'000'000);
}

TEST(MemoryTest, QuantisingWhileLoadingKeepsTheEmbeddings) {
  const MemoryEstimate estimate =
      Estimate(LlamaModel(), LinuxMachine(64), {.quantization = "4bit"});
  const int64_t kept = 2LL * 128'256 * 4096;
  EXPECT_NEAR(static_cast<double>(estimate.weights_bytes),
              0.5625 * static_cast<double>(8'030'261'248 - kept) + 2.0 * static_cast<double>(kept),
              10.0);
}

TEST(MemoryTest, AnUnknownArchitectureIsSaidToBeGuessed) {
  Model model = LlamaModel();
  model.facts.architecture.reset();
  const MemoryEstimate estimate = Estimate(model, LinuxMachine());
  EXPECT_EQ(estimate.kv_bytes, 0);
  EXPECT_THAT(estimate.basis, ::testing::Contains(HasSubstr("the usual figure")));
}

TEST(MemoryTest, AnEncoderKeepsNothing) {
  const MemoryEstimate estimate = Estimate(EmbeddingModel(), LinuxMachine());
  EXPECT_EQ(estimate.kv_bytes_per_token, 0);
  EXPECT_EQ(estimate.context, 256);
}

}  // namespace
}  // namespace llmd::planner
