#include "planner/trainable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planner/models.h"

namespace llmd::planner {
namespace {

using ::testing::HasSubstr;
using namespace llmd::testing;  // NOLINT(google-build-using-namespace)

struct Question {
  const char* name;
  void (*change)(ModelProfile& profile);
  const char* reason;  // empty: it is trainable
};

class TrainableTest : public ::testing::TestWithParam<Question> {};

TEST_P(TrainableTest, OrSaysWhyNot) {
  Model model = LlamaModel();
  GetParam().change(model.profile);
  const Selection weights = SelectWeights(model.facts, model.profile, {}).value();
  const ModelProfile::Trainable answer = FindTrainable(model.profile, model.facts, weights);
  const std::string reason = GetParam().reason;
  EXPECT_EQ(answer.lora, reason.empty());
  EXPECT_EQ(answer.reason.empty(), reason.empty());
  EXPECT_THAT(answer.reason, HasSubstr(reason));
}

INSTANTIATE_TEST_SUITE_P(
    All, TrainableTest,
    ::testing::Values(
        Question{"LanguageModel", [](ModelProfile&) {}, ""},
        Question{"RemoteCode", [](ModelProfile& p) { p.requirements.remote_code = true; }, ""},
        Question{"FourBit", [](ModelProfile& p) { p.quantization = "bnb-4bit"; }, ""},
        Question{"Awq", [](ModelProfile& p) { p.quantization = "awq"; }, ""},
        Question{"Torchao", [](ModelProfile& p) { p.quantization = "torchao"; }, "as torchao"},
        Question{"Gguf", [](ModelProfile& p) { p.quantization = "gguf"; }, "install the original"},
        Question{"GgufOfAKnownBase",
                 [](ModelProfile& p) {
                   p.quantization = "gguf";
                   p.base_model = "org/base";
                 },
                 "install org/base"},
        Question{"Kind", [](ModelProfile& p) { p.kind = "asr"; }, "not the kind asr"},
        Question{"Loader", [](ModelProfile& p) { p.loader = "AutoModel"; }, "causal"},
        Question{"NoLoader", [](ModelProfile& p) { p.loader.reset(); }, "causal"},
        Question{"NotServed", [](ModelProfile& p) { p.reasons = {"no tokenizer"}; }, ""},
        Question{"MissingWeights", [](ModelProfile& p) { p.weight_files = {"gone.safetensors"}; },
                 "not there"}),
    [](const auto& info) { return info.param.name; });

TEST(TrainableWeightsTest, ThatAreBrokenAreNot) {
  Model model = LlamaModel();
  const Selection weights = SelectWeights(model.facts, model.profile, {}).value();
  EXPECT_TRUE(FindTrainable(model.profile, model.facts, weights).lora);
  model.facts.safetensors = SafetensorsFacts{.files = weights.files, .error = "no header"};
  EXPECT_FALSE(FindTrainable(model.profile, model.facts, weights).lora);
  model.facts.safetensors.reset();
  for (WeightSet& set : model.facts.weights) set.missing = {"model-00002-of-00003.safetensors"};
  EXPECT_FALSE(FindTrainable(model.profile, model.facts, weights).lora);
  for (WeightSet& set : model.facts.weights) set.missing.clear();
  EXPECT_TRUE(FindTrainable(model.profile, model.facts, weights).lora);
  for (FileEntry& file : model.facts.inventory.files) file.size = 134;  // as a pointer has
  EXPECT_FALSE(FindTrainable(model.profile, model.facts, weights).lora);
}

}  // namespace
}  // namespace llmd::planner
