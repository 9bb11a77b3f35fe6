// Whatever the detective says, on whatever machine: an answer that hangs together, or a typed
// refusal.
#include <gtest/gtest.h>

#include <random>

#include "planner/models.h"

namespace llmd::planner {
namespace {

using namespace llmd::testing;  // NOLINT(google-build-using-namespace)

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  bool Toss() { return Number(4) == 0; }
  size_t Number(size_t below) { return engine_() % below; }
  template <typename T>
  const T& Pick(const std::vector<T>& list) {
    return list[Number(list.size())];
  }
  // Small, usual, huge, absurd and negative sizes.
  int64_t Size() {
    static const std::vector<int64_t> sizes = {
        0, 1, 1000, 1'000'000'000, 80 * kGiB, int64_t{1} << 40, (int64_t{1} << 62), -1};
    return Pick(sizes);
  }

 private:
  std::mt19937 engine_;
};

MachineFacts AnyMachine(Dice& dice) {
  std::vector<MachineFacts> machines = {LinuxMachine(),    LinuxMachine(1), GpuMachine(1, 8),
                                        GpuMachine(8, 80), MacMachine(),    MachineFacts{}};
  MachineFacts machine = dice.Pick(machines);
  if (dice.Toss()) machine.gpus.push_back(NvidiaGpu(24, dice.Toss() ? "" : "7.5"));
  if (dice.Toss()) machine.memory_available_bytes /= 8;
  if (dice.Toss()) machine.disk_free_bytes = 0;
  return machine;
}

ArchitectureFacts AnyArchitecture(Dice& dice) {
  const auto size = [&] { return std::min(std::max<int64_t>(dice.Size(), 0), int64_t{1} << 40); };
  ArchitectureFacts facts{.layers = size(),
                          .hidden_size = size(),
                          .intermediate_size = size(),
                          .vocab_size = size(),
                          .context_length = size()};
  for (size_t i = dice.Number(3); i > 0; --i) {
    facts.cache.push_back({.kind = static_cast<LayerGroup::Kind>(dice.Number(5)),
                           .layers = size(),
                           .elements_per_token = size(),
                           .window = size(),
                           .state_elements = size()});
  }
  return facts;
}

Model AnyModel(Dice& dice) {
  Model model = dice.Pick(
      std::vector<Model>{LlamaModel(), SmallModel(), GgufModel(), EmbeddingModel(), Model{}});
  ModelProfile& profile = model.profile;
  const std::vector<std::string> kinds = {"llm",     "vlm", "embedding",   "reranker", "controlnet",
                                          "adapter", "tts", "unsupported", ""};
  if (dice.Toss()) profile.kind = dice.Pick(kinds);
  if (dice.Toss())
    profile.quantization = dice.Pick<std::string>({"none", "awq", "fp8", "gguf", "?"});
  if (dice.Toss()) profile.loader.reset();
  if (dice.Toss()) profile.parameters = dice.Size();
  if (dice.Toss()) profile.context_length = dice.Size();
  if (dice.Toss()) profile.requirements.remote_code = true;
  if (dice.Toss()) profile.weight_files.push_back("not/there.safetensors");
  if (dice.Toss()) model.facts.architecture = AnyArchitecture(dice);
  if (dice.Toss()) model.facts.architecture.reset();
  for (size_t i = dice.Number(4); i > 0; --i) {
    model.AddFile(dice.Pick<std::string>({"x.gguf", "a/b.safetensors", "mmproj.gguf", "m.py",
                                          "model.onnx", "\xff\xfe.bin"}),
                  std::max<int64_t>(dice.Size(), 0) / 1024);
  }
  return model;
}

Wish AnyWish(Dice& dice) {
  Wish wish;
  if (dice.Toss()) wish.engine = dice.Pick<std::string>({"llama.cpp", "vllm", "?"});
  if (dice.Toss()) wish.variant = dice.Pick<std::string>({"Q8_0", "q4_k_m", "?"});
  if (dice.Toss()) wish.file = dice.Pick<std::string>({"x.gguf", "../x"});
  if (dice.Toss()) wish.quantization = dice.Pick<std::string>({"4bit", "fp8", "none", "?"});
  if (dice.Toss()) wish.context = dice.Size();
  wish.force = dice.Toss();
  wish.trust_remote_code = dice.Toss();
  return wish;
}

void ExpectSound(const Model& model, const ModelProfile& profile, const StatusOr<Plan>& plan) {
  const int exit_code = CheckExitCode(profile);
  EXPECT_TRUE(exit_code == 0 || exit_code == 3 || exit_code == 4);
  EXPECT_FALSE(profile.handler.empty());
  EXPECT_GE(profile.memory.required_bytes, 0);
  EXPECT_GE(profile.memory.kv_bytes_per_token, 0);
  EXPECT_EQ(static_cast<size_t>(profile.download.files) + profile.download.skipped.size(),
            model.facts.inventory.files.size());
  for (const ModelProfile::Backend& backend : profile.backends) {
    EXPECT_TRUE(backend.usable || !backend.reason.empty()) << backend.name;
  }
  if (exit_code == 3) {
    EXPECT_FALSE(profile.reasons.empty());
  }
  if (plan.ok()) {
    EXPECT_TRUE(profile.supported);
    EXPECT_FALSE(plan->packages.empty());
    EXPECT_FALSE(plan->launch.weights.empty());
    EXPECT_GE(plan->memory_bytes, 0);
    EXPECT_GE(plan->launch.parallel, 1);
    EXPECT_GE(plan->launch.context, 0);
  } else {
    const StatusCode code = plan.status().code();
    EXPECT_TRUE(code == StatusCode::kFailedPrecondition || code == StatusCode::kInvalidArgument);
    EXPECT_FALSE(GetErrorInfo(plan.status()).next_step.empty());
  }
}

TEST(PlannerPropertyTest, EveryModelHasAPlanOrATypedRefusal) {
  int plans = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    const Model model = AnyModel(dice);
    const Asked asked{.machine = AnyMachine(dice), .wish = AnyWish(dice)};
    const ModelProfile profile = asked.Complete(model);
    const StatusOr<Plan> plan = asked.MakePlan(model);
    ExpectSound(model, profile, plan);
    plans += plan.ok() ? 1 : 0;
    // What check promises, install does.
    const bool code = profile.requirements.remote_code && !asked.wish.trust_remote_code;
    if (CheckExitCode(profile) == 0 && !code) {
      EXPECT_TRUE(plan.ok()) << Message(plan.status());
    }
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_GT(plans, 50);
}

}  // namespace
}  // namespace llmd::planner
