// What our handler and engine files say of families, one row a rule.
#include "planner/requirements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "domain/names.h"
#include "planner/models.h"

namespace llmd::planner {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using namespace llmd::testing;  // NOLINT(google-build-using-namespace)

struct Family {
  const char* name;
  void (*change)(Model& model);
  MachineFacts machine;
  std::vector<std::string> packages;  // at least these
  std::vector<std::string> special;   // at least these
  std::vector<std::string> never;     // in neither
  const char* handler = "general";
};

class FamilyTest : public ::testing::TestWithParam<Family> {};

TEST_P(FamilyTest, NeedsWhatTheRulesSay) {
  Model model = SmallModel();
  GetParam().change(model);
  const ModelProfile profile = Asked{.machine = GetParam().machine}.Complete(model);
  EXPECT_EQ(profile.handler, GetParam().handler);
  EXPECT_THAT(profile.requirements.packages, IsSupersetOf(GetParam().packages));
  EXPECT_THAT(profile.requirements.special, IsSupersetOf(GetParam().special));
  std::set<std::string_view> names;
  for (const std::string& package : profile.requirements.packages) {
    EXPECT_TRUE(names.insert(RequirementName(package)).second) << package << " stands there twice";
  }
  for (const std::string& name : GetParam().never) {
    EXPECT_THAT(profile.requirements.packages, Not(Contains(name)));
    EXPECT_THAT(profile.requirements.special, Not(Contains(name)));
  }
}

void Quantised(Model& model, const char* method) { model.profile.quantization = method; }

INSTANTIATE_TEST_SUITE_P(
    All, FamilyTest,
    ::testing::Values(
        Family{.name = "Llama",
               .change = [](Model&) {},
               .machine = LinuxMachine(),
               .packages = {"torch", "transformers>=5", "accelerate"},
               .never = {"mamba-ssm", "einops", "bitsandbytes", "torchaudio"}},
        Family{.name = "NemotronH",
               .change =
                   [](Model& model) {
                     model.profile.repo_id = "nvidia/Nemotron-H-8B";
                     model.profile.model_type = "nemotron_h";
                   },
               .machine = LinuxMachine(),
               .special = {"mamba-ssm", "causal-conv1d"},
               .handler = "nemotron"},
        Family{.name = "Minitron",
               .change = [](Model& model) { model.profile.model_type = "nemotron"; },
               .machine = LinuxMachine(),
               .never = {"mamba-ssm", "causal-conv1d"},
               .handler = "nemotron"},
        Family{.name = "LlamaNemotron",
               .change = [](Model& model) { model.profile.repo_id = "nvidia/Llama-3-Nemotron"; },
               .machine = LinuxMachine(),
               .never = {"mamba-ssm"},
               .handler = "nemotron"},
        Family{.name = "NameOfAnother",
               .change = [](Model& model) { model.profile.repo_id = "someone/Nemotron-chat"; },
               .machine = LinuxMachine()},
        Family{.name = "Jamba",
               .change = [](Model& model) { model.profile.model_type = "jamba"; },
               .machine = LinuxMachine(),
               .special = {"mamba-ssm", "causal-conv1d"}},
        Family{.name = "BitsAndBytes",
               .change = [](Model& model) { Quantised(model, "bnb-4bit"); },
               .machine = LinuxMachine(),
               .packages = {"bitsandbytes>=0.49"},
               .special = {"bitsandbytes"}},
        Family{.name = "AwqWithoutGpu",
               .change = [](Model& model) { Quantised(model, "awq"); },
               .machine = LinuxMachine(),
               .special = {"gptqmodel"}},
        Family{.name = "AwqWithGpu",
               .change = [](Model& model) { Quantised(model, "awq"); },
               .machine = GpuMachine(1, 24),
               .packages = {"gptqmodel"},
               .special = {"gptqmodel"}},
        Family{.name = "CompressedTensors",
               .change = [](Model& model) { Quantised(model, "compressed-tensors"); },
               .machine = LinuxMachine(),
               .packages = {"compressed-tensors"}},
        Family{.name = "RemoteCode",
               .change = [](Model& model) { model.profile.requirements.remote_code = true; },
               .machine = LinuxMachine(),
               .packages = {"einops"}},
        Family{.name = "SentencePieceAlone",
               .change =
                   [](Model& model) {
                     std::erase_if(model.facts.inventory.files, [](const FileEntry& file) {
                       return file.path == "tokenizer.json";
                     });
                     model.AddFile("tokenizer.model", 500'000);
                   },
               .machine = LinuxMachine(),
               .packages = {"sentencepiece", "protobuf"},
               .special = {"sentencepiece"}},
        Family{.name = "SentencePieceBesideTokenizerJson",
               .change = [](Model& model) { model.AddFile("tokenizer.model", 500'000); },
               .machine = LinuxMachine(),
               .special = {"sentencepiece"},
               .never = {"protobuf"}}),
    [](const auto& info) { return info.param.name; });

TEST(NeedsTest, NemotronBringsItsScripts) {
  Model model = SmallModel();
  model.profile.model_type = "nemotron";
  const StatusOr<Plan> plan = Asked{}.MakePlan(model);
  ASSERT_TRUE(plan.ok()) << Message(plan.status());
  EXPECT_THAT(plan->scripts,
              ::testing::UnorderedElementsAre("serve_tensorrt.sh", "optimize_model.sh"));
}

TEST(NeedsTest, WhatIsNotInstalledIsExplained) {
  Model model = SmallModel();
  model.profile.model_type = "jamba";
  EXPECT_THAT(Asked{}.Complete(model).notes, Contains(HasSubstr("mamba-ssm is not needed")));
}

TEST(NeedsTest, AnAdapterIsRefusedInItsOwnWords) {
  Model model = SmallModel();
  model.profile.kind = "adapter";
  model.profile.loader = "PeftModel";
  const ModelProfile profile = Asked{}.Complete(model);
  EXPECT_FALSE(profile.supported);
  EXPECT_THAT(profile.reasons, ::testing::ElementsAre(HasSubstr("its base model")));
  EXPECT_THAT(profile.requirements.packages, Contains("peft"));
}

TEST(NeedsTest, QuantisingWhileLoadingBringsItsPackage) {
  Asked asked{.machine = LinuxMachine(64)};
  const int64_t as_it_is = asked.MakePlan(LlamaModel())->memory_bytes;
  asked.wish.quantization = "4bit";
  const StatusOr<Plan> plan = asked.MakePlan(LlamaModel());
  ASSERT_TRUE(plan.ok()) << Message(plan.status());
  EXPECT_THAT(plan->packages, Contains("bitsandbytes>=0.49"));
  EXPECT_EQ(plan->launch.quantization, "4bit");
  EXPECT_LT(plan->memory_bytes, as_it_is / 2);
}

TEST(NeedsTest, ForeignCodeRunsOnlyWhenAPersonSaysSo) {
  Model model = SmallModel();
  model.profile.requirements.remote_code = true;
  Asked asked;
  const StatusOr<Plan> refused = asked.MakePlan(model);
  EXPECT_EQ(GetErrorInfo(refused.status()).code, "remote_code");
  asked.wish.trust_remote_code = true;
  const StatusOr<Plan> plan = asked.MakePlan(model);
  ASSERT_TRUE(plan.ok()) << Message(plan.status());
  EXPECT_TRUE(plan->launch.remote_code);
}

}  // namespace
}  // namespace llmd::planner
