#include "planner/subject.h"

#include <gtest/gtest.h>

#include "planner/models.h"

namespace llmd::planner {
namespace {

using namespace llmd::testing;  // NOLINT(google-build-using-namespace)

struct Question {
  const char* name;
  SpecCondition condition;
  bool holds;
};

// Asked about a Llama on a Linux machine with one GPU of compute capability 8.9.
class ConditionTest : public ::testing::TestWithParam<Question> {};

TEST_P(ConditionTest, IsAnswered) {
  Model model = LlamaModel();
  model.AddFile("tokenizer.model", 500'000);
  model.AddFile("sub/spiece.model", 500'000);
  model.profile.capabilities = {"chat", "tools"};
  model.profile.components = {{.name = "text_encoder", .class_name = "T5EncoderModel"}};
  model.facts.ggufs = {
      {.strings = {{"general.architecture", "llama"}}, .integers = {{"llama.pooling_type", 3}}}};
  const MachineFacts machine = GpuMachine(1, 24);
  const Subject subject{
      .profile = model.profile, .facts = model.facts, .machine = machine, .engine = "transformers"};
  EXPECT_EQ(Holds(GetParam().condition, subject), GetParam().holds);
}

INSTANTIATE_TEST_SUITE_P(
    All, ConditionTest,
    ::testing::Values(Question{"Nothing", {}, true},
                      Question{"Kind", {.kinds = {"vlm", "llm"}}, true},
                      Question{"OtherKind", {.kinds = {"vlm"}}, false},
                      Question{"Both", {.detectors = {"transformers"}, .kinds = {"llm"}}, true},
                      Question{"OneOfTwo", {.detectors = {"gguf"}, .kinds = {"llm"}}, false},
                      Question{"Pattern", {.architectures = {"Llama*"}}, true},
                      Question{"ModelType", {.model_types = {"qwen*"}}, false},
                      Question{"Loader", {.loaders = {"AutoModelFor*"}}, true},
                      Question{"Quantization", {.quantizations = {"none"}}, true},
                      Question{"Capability", {.capabilities = {"tools"}}, true},
                      Question{"NoSuchCapability", {.capabilities = {"vision"}}, false},
                      Question{"Component", {.components = {"T5*"}}, true},
                      Question{"Repo", {.repos = {"org/*"}}, true},
                      Question{"File", {.files = {"tokenizer.model"}}, true},
                      Question{"FileInFolder", {.files = {"*/spiece.model"}}, true},
                      Question{"NoSuchFile", {.files = {"spiece.model"}}, false},
                      Question{"FileThatMustNotBe", {.no_files = {"tokenizer.json"}}, false},
                      Question{"FileThatIsNot", {.no_files = {"x.json", "*.gguf"}}, true},
                      Question{"GgufKey", {.gguf_keys = {"*.pooling_type"}}, true},
                      Question{"NoGgufKey", {.no_gguf_keys = {"*.pooling_type"}}, false},
                      Question{"RemoteCode", {.remote_code = true}, false},
                      Question{"NoRemoteCode", {.remote_code = false}, true},
                      Question{"Engine", {.engines = {"transformers"}}, true},
                      Question{"Os", {.os = {"macos"}}, false},
                      Question{"Gpu", {.gpu = {"cuda"}}, true},
                      Question{"NoGpu", {.gpu = {"none"}}, false},
                      Question{"Capable", {.compute_capability = 8.9}, true},
                      Question{"NotCapable", {.compute_capability = 9.0}, false}),
    [](const auto& info) { return info.param.name; });

TEST(ConditionsTest, OneThatHoldsIsEnough) {
  const Model model = LlamaModel();
  const MachineFacts machine = LinuxMachine();
  const Subject subject{.profile = model.profile, .facts = model.facts, .machine = machine};
  EXPECT_TRUE(Holds(SpecConditions{}, subject));
  EXPECT_TRUE(Holds(SpecConditions{{.kinds = {"tts"}}, {.kinds = {"llm"}}}, subject));
  EXPECT_FALSE(Holds(SpecConditions{{.kinds = {"tts"}}, {.kinds = {"asr"}}}, subject));
}

TEST(ConditionsTest, WhatIsNotKnownMatchesNothing) {
  Model model;
  const MachineFacts machine = LinuxMachine();
  const Subject subject{.profile = model.profile, .facts = model.facts, .machine = machine};
  EXPECT_FALSE(Holds(SpecCondition{.architectures = {"*"}}, subject));
  EXPECT_FALSE(Holds(SpecCondition{.compute_capability = 1}, subject));
}

TEST(GpuOfTest, NamesWhatCanBeComputedOn) {
  EXPECT_EQ(GpuOf(LinuxMachine()), "none");
  EXPECT_EQ(GpuOf(GpuMachine(1, 24)), "cuda");
  EXPECT_EQ(GpuOf(MacMachine()), "metal");
  MachineFacts amd = LinuxMachine();
  amd.gpus.push_back({.name = "other", .vendor = "amd", .memory_bytes = 24 * kGiB});
  EXPECT_EQ(GpuOf(amd), "none");
}

}  // namespace
}  // namespace llmd::planner
