#include "planner/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planner/models.h"

namespace llmd::planner {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace llmd::testing;  // NOLINT(google-build-using-namespace)

TEST(CompleteProfileTest, AModelThatCanBeInstalled) {
  const ModelProfile profile = Asked{}.Complete(SmallModel());
  EXPECT_TRUE(profile.supported);
  EXPECT_EQ(profile.handler, "general");
  EXPECT_THAT(profile.reasons, IsEmpty());
  EXPECT_THAT(profile.requirements.packages, Contains("accelerate"));
  EXPECT_TRUE(FindBackend(profile, "transformers")->usable);
  EXPECT_FALSE(FindBackend(profile, "llama.cpp")->usable);
  EXPECT_EQ(profile.memory.fits, "yes");
  EXPECT_EQ(profile.memory.weights_bytes, 500'000'000);
  EXPECT_EQ(profile.download.files, 7);
  EXPECT_TRUE(profile.trainable.lora);
  EXPECT_THAT(profile.notes, Contains(HasSubstr("weights: 476.8 MiB")));
  EXPECT_EQ(CheckExitCode(profile), 0);
}

TEST(CompleteProfileTest, WhatTheDetectiveRefusesStaysRefused) {
  Model model = SmallModel();
  model.profile.reasons = {"the tokenizer is missing"};
  const ModelProfile profile = Asked{}.Complete(model);
  EXPECT_FALSE(profile.supported);
  EXPECT_THAT(profile.reasons, ElementsAre("the tokenizer is missing"));
  EXPECT_FALSE(FindBackend(profile, "transformers")->usable);
  EXPECT_EQ(CheckExitCode(profile), 3);
}

TEST(CompleteProfileTest, NoModelAtAll) {
  Model model;
  model.profile.reasons = {"no weights"};
  const ModelProfile profile = Asked{}.Complete(model);
  EXPECT_FALSE(profile.supported);
  EXPECT_EQ(profile.handler, "general");
  EXPECT_EQ(CheckExitCode(profile), 4);
}

TEST(CompleteProfileTest, AKindThatNobodyServes) {
  Model model = SmallModel();
  model.profile.kind = "a-new-kind";
  const ModelProfile profile = Asked{}.Complete(model);
  EXPECT_FALSE(profile.supported);
  EXPECT_THAT(profile.reasons, ElementsAre(HasSubstr("a-new-kind")));
  EXPECT_EQ(profile.memory.weights_bytes, 500'000'000);
  EXPECT_EQ(CheckExitCode(profile), 3);
}

TEST(CompleteProfileTest, AWishForWhatIsNotThereIsAReason) {
  Asked asked{.wish = {.variant = "Q9"}};
  const ModelProfile profile = asked.Complete(GgufModel());
  EXPECT_TRUE(profile.supported);
  EXPECT_THAT(profile.reasons, ElementsAre(HasSubstr("Q4_K_M, Q8_0")));
  EXPECT_EQ(CheckExitCode(profile), 3);
}

TEST(CompleteProfileTest, TheProfileIsOfTheVariantThatWasAskedFor) {
  Model model = GgufModel();
  model.profile.dtype = "Q4_K_M";
  for (const Wish& wish :
       {Wish{.variant = "q8_0"}, Wish{.file = "small-Q8_0.gguf"}, Wish{.quantization = "8bit"}}) {
    const ModelProfile profile = Asked{.wish = wish}.Complete(model);
    EXPECT_EQ(profile.dtype, "Q8_0");
    EXPECT_THAT(profile.weight_files, ElementsAre("small-Q8_0.gguf"));
    EXPECT_EQ(profile.memory.weights_bytes, 550'000'000);
    EXPECT_EQ(profile.variants.front().name, "Q8_0");
    EXPECT_EQ(profile.variants.size(), 2u);
    EXPECT_THAT(profile.notes.front(), HasSubstr("variant Q8_0: 524.5 MiB in small-Q8_0.gguf"));
  }
  EXPECT_EQ(Asked{}.Complete(model).dtype, "Q4_K_M");
}

TEST(CompleteProfileTest, AnEngineThatCannotIsToldOffByItself) {
  Asked asked{.wish = {.engine = "vllm"}};
  const ModelProfile profile = asked.Complete(SmallModel());
  EXPECT_TRUE(profile.supported);  // by another
  EXPECT_THAT(profile.reasons, ElementsAre("vllm needs a CUDA GPU"));
  EXPECT_EQ(CheckExitCode(profile), 3);
}

TEST(CompleteProfileTest, AGgufBesideOtherWeightsIsOffered) {
  Model model = SmallModel();
  model.AddFile("small.Q4_K_M.gguf", 140'000'000);
  model.profile.variants = {{.name = "Q4_K_M", .files = {"small.Q4_K_M.gguf"}}};
  const ModelProfile profile = Asked{}.Complete(model);
  EXPECT_TRUE(FindBackend(profile, "llama.cpp")->usable);
  EXPECT_EQ(FindBackend(profile, "llama.cpp")->reason, "with --variant Q4_K_M");
  EXPECT_EQ(Asked{}.MakePlan(model)->engine, "transformers");
  EXPECT_EQ(Asked{.wish = {.variant = "Q4_K_M"}}.MakePlan(model)->engine, "llama.cpp");
}

TEST(CompleteProfileTest, TooLittleDisk) {
  Asked asked;
  asked.machine.disk_free_bytes = kGiB;
  const ModelProfile profile = asked.Complete(SmallModel());
  EXPECT_TRUE(profile.supported);
  EXPECT_THAT(profile.reasons, ElementsAre(HasSubstr("of disk")));
  EXPECT_EQ(CheckExitCode(profile), 3);
}

TEST(CompleteProfileTest, TooLittleMemory) {
  const ModelProfile profile = Asked{.machine = LinuxMachine(8)}.Complete(LlamaModel());
  EXPECT_TRUE(profile.supported);
  EXPECT_EQ(profile.memory.fits, "no");
  EXPECT_THAT(profile.reasons, ElementsAre(HasSubstr("15.0 GiB for weights")));
  EXPECT_EQ(CheckExitCode(profile), 3);
}

TEST(CompleteProfileTest, WhatCannotBeServedSoIsNotSaidToFit) {
  const auto expect_untold = [](const ModelProfile& profile) {
    EXPECT_EQ(profile.memory.fits, "no");
    EXPECT_EQ(profile.memory.required_bytes, 0);
    EXPECT_EQ(profile.memory.kv_bytes_per_token, 0);
    EXPECT_THAT(profile.notes, ::testing::Not(Contains(HasSubstr("weights: "))));
    EXPECT_NE(CheckExitCode(profile), 0);
  };
  Model absurd = SmallModel();
  absurd.profile.reasons = {"config.json has sizes that no model has; its memory cannot be told"};
  expect_untold(Asked{}.Complete(absurd));
  expect_untold(Asked{.wish = {.engine = "vllm"}}.Complete(SmallModel()));
  expect_untold(Asked{.wish = {.quantization = "fp8"}}.Complete(SmallModel()));
  expect_untold(Asked{.wish = {.engine = "unheard-of"}}.Complete(SmallModel()));
  Model unsupported;
  unsupported.profile.kind = "unsupported";
  unsupported.AddFile("README.bin", 24);
  expect_untold(Asked{}.Complete(unsupported));
}

TEST(CompleteProfileTest, TheNotesSayTheLargestContextAndTheDisk) {
  const ModelProfile profile = Asked{}.Complete(SmallModel());
  EXPECT_THAT(profile.notes, Contains(HasSubstr("tokens that would fit in memory")));
  EXPECT_THAT(profile.notes, Contains(HasSubstr("disk: up to ")));
}

TEST(MakePlanTest, APlanSaysEverythingThatInstallDoes) {
  const StatusOr<Plan> plan = Asked{}.MakePlan(GgufModel());
  ASSERT_TRUE(plan.ok()) << Message(plan.status());
  EXPECT_EQ(plan->name, "org/name");
  EXPECT_EQ(plan->folder_name, "org_name");
  EXPECT_EQ(plan->engine, "llama.cpp");
  EXPECT_EQ(plan->handler, "general");
  EXPECT_THAT(plan->packages, Contains(HasSubstr("xllamacpp")));
  EXPECT_EQ(plan->files.size(), 2u);
  EXPECT_EQ(plan->download_bytes, 300'001'000);
  EXPECT_GT(plan->environment_bytes, 0);
  EXPECT_GT(plan->memory_bytes, 300'000'000);
}

struct RefusedPlan {
  const char* name;
  Model (*model)();
  Asked asked;
  StatusCode status;
  const char* code;
};

class RefusedPlanTest : public ::testing::TestWithParam<RefusedPlan> {};

TEST_P(RefusedPlanTest, IsTyped) {
  const StatusOr<Plan> plan = GetParam().asked.MakePlan(GetParam().model());
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.status().code(), GetParam().status);
  EXPECT_EQ(GetErrorInfo(plan.status()).code, GetParam().code);
  EXPECT_NE(GetErrorInfo(plan.status()).next_step, "");
}

INSTANTIATE_TEST_SUITE_P(All, RefusedPlanTest,
                         ::testing::Values(RefusedPlan{"UnknownEngine",
                                                       &GgufModel,
                                                       {.wish = {.engine = "warp"}},
                                                       StatusCode::kInvalidArgument,
                                                       "unknown_engine"},
                                           RefusedPlan{"UnknownVariant",
                                                       &GgufModel,
                                                       {.wish = {.variant = "Q9"}},
                                                       StatusCode::kInvalidArgument,
                                                       "unknown_variant"},
                                           RefusedPlan{"UnknownQuantization",
                                                       &SmallModel,
                                                       {.wish = {.quantization = "3bit"}},
                                                       StatusCode::kInvalidArgument,
                                                       "unknown_quantization"},
                                           RefusedPlan{"ContextTooLong",
                                                       &SmallModel,
                                                       {.wish = {.context = 9000}},
                                                       StatusCode::kInvalidArgument,
                                                       "context_too_long"},
                                           RefusedPlan{"WrongEngine",
                                                       &SmallModel,
                                                       {.wish = {.engine = "llama.cpp"}},
                                                       StatusCode::kFailedPrecondition,
                                                       "not_installable"},
                                           RefusedPlan{"NoMemory",
                                                       &LlamaModel,
                                                       {.machine = LinuxMachine(8)},
                                                       StatusCode::kFailedPrecondition,
                                                       "does_not_fit"}),
                         [](const auto& info) { return info.param.name; });

TEST(MakePlanTest, ForceOverrulesMemoryAndNothingElse) {
  Asked asked{.machine = LinuxMachine(8), .wish = {.force = true}};
  EXPECT_TRUE(asked.MakePlan(LlamaModel()).ok());
  asked.machine.disk_free_bytes = kGiB;
  EXPECT_EQ(GetErrorInfo(asked.MakePlan(LlamaModel()).status()).code, "not_installable");
}

TEST(CheckExitCodeTest, ATightFitIsInstallable) {
  ModelProfile profile{.kind = "llm", .backends = {{.name = "x", .usable = true}}};
  profile.supported = true;
  profile.memory.fits = "tight";
  EXPECT_EQ(CheckExitCode(profile), 0);
  profile.backends.front().usable = false;
  EXPECT_EQ(CheckExitCode(profile), 3);
}

}  // namespace
}  // namespace llmd::planner
