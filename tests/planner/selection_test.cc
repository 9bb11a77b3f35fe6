#include "planner/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planner/models.h"

namespace llmd::planner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace llmd::testing;  // NOLINT(google-build-using-namespace)

TEST(SelectionTest, WithoutAWishTheProfilesWeightsAreTaken) {
  const Model model = LlamaModel();
  const auto selection = SelectWeights(model.facts, model.profile, {});
  ASSERT_TRUE(selection.ok());
  EXPECT_EQ(selection->files, model.profile.weight_files);
  EXPECT_EQ(selection->format, "safetensors");
  EXPECT_EQ(selection->bytes, 16'060'522'496);
  EXPECT_EQ(selection->variant, "");
}

TEST(SelectionTest, WithoutChosenWeightsTheFirstWholeSetIsTaken) {
  Model model = LlamaModel();
  model.profile.weight_files.clear();
  EXPECT_EQ(SelectWeights(model.facts, model.profile, {})->files.size(), 2u);
}

struct ByName {
  const char* name;
  Wish wish;
  const char* file;
};

class SelectByNameTest : public ::testing::TestWithParam<ByName> {};

TEST_P(SelectByNameTest, FindsTheVariant) {
  const Model model = GgufModel();
  const auto selection = SelectWeights(model.facts, model.profile, GetParam().wish);
  ASSERT_TRUE(selection.ok()) << Message(selection.status());
  EXPECT_THAT(selection->files, ElementsAre(GetParam().file));
  EXPECT_EQ(selection->quantization, "gguf");
}

INSTANTIATE_TEST_SUITE_P(
    All, SelectByNameTest,
    ::testing::Values(ByName{"Variant", {.variant = "Q8_0"}, "small-Q8_0.gguf"},
                      ByName{"AnyCase", {.variant = "q8_0"}, "small-Q8_0.gguf"},
                      ByName{"File", {.file = "small-Q8_0.gguf"}, "small-Q8_0.gguf"},
                      ByName{"QuantizationByName", {.quantization = "Q8_0"}, "small-Q8_0.gguf"},
                      ByName{"EightBit", {.quantization = "8bit"}, "small-Q8_0.gguf"},
                      ByName{"FourBit", {.quantization = "4bit"}, "small-Q4_K_M.gguf"}),
    [](const auto& info) { return info.param.name; });

TEST(SelectionTest, AnUnknownVariantListsWhatThereIs) {
  const Model model = GgufModel();
  for (const Wish& wish :
       {Wish{.variant = "Q2_K"}, Wish{.file = "other.gguf"}, Wish{.quantization = "fp8"}}) {
    const auto selection = SelectWeights(model.facts, model.profile, wish);
    ASSERT_FALSE(selection.ok());
    EXPECT_EQ(GetErrorInfo(selection.status()).code, "unknown_variant");
    EXPECT_THAT(Message(selection.status()), HasSubstr("Q4_K_M, Q8_0"));
  }
}

TEST(SelectionTest, AVariantAndAFileOfAnotherContradictEachOther) {
  const Model model = GgufModel();
  const auto look = [&](const char* variant) {
    return SelectWeights(model.facts, model.profile,
                         {.variant = variant, .file = "small-Q8_0.gguf"});
  };
  EXPECT_TRUE(look("q8_0").ok());
  const auto selection = look("Q4_K_M");
  EXPECT_EQ(selection.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(GetErrorInfo(selection.status()).code, "contradicting_wish");
  EXPECT_THAT(Message(selection.status()), HasSubstr("'Q4_K_M' and file 'small-Q8_0.gguf'"));
}

TEST(SelectionTest, AGgufBesideOtherWeightsIsAnAlternative) {
  Model model = LlamaModel();
  EXPECT_THAT(AlternativeIn({"gguf"}, model.facts, model.profile).files, IsEmpty());
  model.AddFile("llama.Q8_0.gguf", 8'000'000'000);
  model.AddFile("llama.Q4_K_M.gguf", 4'000'000'000);
  model.profile.variants = {{.name = "Q8_0", .files = {"llama.Q8_0.gguf"}},
                            {.name = "Q4_K_M", .files = {"llama.Q4_K_M.gguf"}}};
  const Selection other = AlternativeIn({"gguf"}, model.facts, model.profile);
  EXPECT_EQ(other.variant, "Q4_K_M");
  EXPECT_EQ(other.quantization, "gguf");
}

TEST(SelectionTest, AVisionGgufTakesItsProjectorWithIt) {
  Model model = GgufModel();
  model.profile.kind = "vlm";
  model.AddFile("mmproj-small-f16.gguf", 100'000'000);
  const auto selection = SelectWeights(model.facts, model.profile, {.variant = "Q8_0"});
  ASSERT_TRUE(selection.ok());
  EXPECT_EQ(MainFile(*selection), "small-Q8_0.gguf");
  EXPECT_EQ(ProjectorFile(*selection), "mmproj-small-f16.gguf");
  EXPECT_EQ(selection->bytes, 650'000'000);
}

TEST(SelectionTest, TheFirstPartOfASplitGgufIsTheMainFile) {
  Model model = GgufModel();
  model.profile.weight_files = {"x-00002-of-00002.gguf", "x-00001-of-00002.gguf"};
  const auto selection = SelectWeights(model.facts, model.profile, {});
  EXPECT_EQ(MainFile(*selection), "x-00001-of-00002.gguf");
}

}  // namespace
}  // namespace llmd::planner
