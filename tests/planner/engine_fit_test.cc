#include "planner/engine_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planner/models.h"

namespace llmd::planner {
namespace {

using ::testing::HasSubstr;
using namespace llmd::testing;  // NOLINT(google-build-using-namespace)

// One engine against one model.
EngineFit Fit(const EngineSpec& engine, const Model& model, const MachineFacts& machine,
              const Wish& wish = {}) {
  const std::vector<EngineSpec> engines = {engine};
  const Subject subject{.profile = model.profile, .facts = model.facts, .machine = machine};
  EngineFit fit =
      FitEngines(subject, wish, engines, SelectWeights(model.facts, model.profile, wish).value())
          .front();
  fit.engine = nullptr;  // it points into `engines`
  fit.served = nullptr;
  fit.load_quantization = nullptr;
  return fit;
}

EngineSpec TextEngine() {
  EngineSpec engine{.id = "text"};
  engine.formats = {"safetensors"};
  engine.serves = {{.kind = "llm", .when = {{.loaders = {"AutoModelForCausalLM"}}}}};
  engine.quantizations = {{.name = "none"}};
  return engine;
}

TEST(EngineFitTest, UsableWhereEverythingHolds) {
  const EngineFit fit = Fit(TextEngine(), LlamaModel(), LinuxMachine());
  EXPECT_TRUE(fit.usable);
  EXPECT_TRUE(fit.served_on_os);
  EXPECT_EQ(fit.reason, "");
}

struct Refusal {
  const char* name;
  void (*change)(EngineSpec& engine, Model& model, MachineFacts& machine, Wish& wish);
  const char* reason;
  bool served_on_os;
};

class RefusalTest : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, SaysWhy) {
  EngineSpec engine = TextEngine();
  Model model = LlamaModel();
  MachineFacts machine = LinuxMachine();
  Wish wish;
  GetParam().change(engine, model, machine, wish);
  const EngineFit fit = Fit(engine, model, machine, wish);
  EXPECT_FALSE(fit.usable);
  EXPECT_EQ(fit.served_on_os, GetParam().served_on_os);
  EXPECT_THAT(fit.reason, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(All, RefusalTest,
                         ::testing::Values(
                             Refusal{"Kind",
                                     [](auto&, auto& model, auto&, auto&) {
                                       model.profile.kind = "tts";
                                     },
                                     "serves no models of the kind tts", false},
                             Refusal{"Loader",
                                     [](auto&, auto& model, auto&, auto&) {
                                       model.profile.loader = "AutoModel";
                                     },
                                     "does not load models by AutoModel", false},
                             Refusal{"NoLoader",
                                     [](auto&, auto& model, auto&, auto&) {
                                       model.profile.loader.reset();
                                     },
                                     "a loader that is not known", false},
                             Refusal{"Format",
                                     [](auto& engine, auto&, auto&, auto&) {
                                       engine.formats = {"gguf"};
                                     },
                                     "does not read safetensors weights", false},
                             Refusal{"Quantization",
                                     [](auto&, auto& model, auto&, auto&) {
                                       model.profile.quantization = "exl2";
                                     },
                                     "does not read weights quantised as exl2", false},
                             Refusal{"QuantizationHere",
                                     [](auto& engine, auto& model, auto&, auto&) {
                                       model.profile.quantization = "awq";
                                       engine.quantizations.push_back(
                                           {.name = "awq",
                                            .when = {{.gpu = {"cuda"}}},
                                            .refusal = "needs a GPU for awq"});
                                     },
                                     "needs a GPU for awq", true},
                             Refusal{"Code",
                                     [](auto&, auto& model, auto&, auto&) {
                                       model.profile.requirements.remote_code = true;
                                     },
                                     "repository's own code", false},
                             Refusal{
                                 "Os",
                                 [](auto& engine, auto&, auto&, auto&) { engine.os = {"macos"}; },
                                 "needs macOS", false},
                             Refusal{"Mac",
                                     [](auto& engine, auto&, auto&, auto&) {
                                       engine.os = {"macos"};
                                       engine.gpu = {"metal"};
                                     },
                                     "needs macOS on Apple silicon", false},
                             Refusal{
                                 "Gpu",
                                 [](auto& engine, auto&, auto&, auto&) { engine.gpu = {"cuda"}; },
                                 "needs a CUDA GPU", true},
                             Refusal{"NotDrivenWithoutGpu",
                                     [](auto& engine, auto&, auto&, auto&) {
                                       engine.gpu = {"cuda"};
                                       engine.not_driven = "not run yet";
                                     },
                                     "needs a CUDA GPU", false},
                             Refusal{"NotDriven",
                                     [](auto& engine, auto&, auto& machine, auto&) {
                                       engine.gpu = {"cuda"};
                                       engine.not_driven = "not run yet";
                                       machine = GpuMachine(1, 24);
                                     },
                                     "not run yet", false},
                             Refusal{"LoadQuantization",
                                     [](auto&, auto&, auto&, Wish& wish) {
                                       wish.quantization = "4bit";
                                     },
                                     "cannot quantise to 4bit", false},
                             Refusal{"QuantisedAlready",
                                     [](auto& engine, auto& model, auto&, Wish& wish) {
                                       engine.quantizations.push_back({.name = "awq"});
                                       engine.load_quantizations = {
                                           {.name = "4bit", .bytes_per_parameter = 0.6}};
                                       model.profile.quantization = "awq";
                                       wish.quantization = "4bit";
                                     },
                                     "quantised already, as awq", false}),
                         [](const auto& info) { return info.param.name; });

TEST(EngineFitTest, WeightsThatItCannotKeepPackedTakeMoreMemory) {
  EngineSpec engine = TextEngine();
  Model model = LlamaModel();
  model.profile.quantization = "fp8";
  engine.quantizations.push_back({.name = "fp8", .when = {{.gpu = {"cuda"}}}, .unpacked = true});
  const EngineFit here = Fit(engine, model, LinuxMachine());
  EXPECT_TRUE(here.usable);
  EXPECT_TRUE(here.unpacked);
  EXPECT_THAT(here.reason, HasSubstr("16 bit"));
  EXPECT_FALSE(Fit(engine, model, GpuMachine(1, 24)).unpacked);
}

TEST(EngineFitTest, TheFirstUsableThatReadsTheOwnWeightsIsChosen) {
  Model model = LlamaModel();
  model.AddFile("llama.Q4_K_M.gguf", 4'000'000'000);
  model.profile.variants = {{.name = "Q4_K_M", .files = {"llama.Q4_K_M.gguf"}}};
  const MachineFacts machine = LinuxMachine();
  const Subject subject{.profile = model.profile, .facts = model.facts, .machine = machine};
  const Selection own = SelectWeights(model.facts, model.profile, {}).value();
  const auto fits = FitEngines(subject, {}, OurEngines(), own);
  EXPECT_EQ(ChooseEngine(fits, {}, own)->engine->id, "transformers");
  const Wish wish{.engine = "llama.cpp"};
  const EngineFit* chosen = ChooseEngine(fits, wish, own);
  ASSERT_NE(chosen, nullptr);
  EXPECT_EQ(chosen->selection.variant, "Q4_K_M");
  EXPECT_EQ(ChooseEngine(fits, {.engine = "sentence-transformers"}, own), nullptr);
}

}  // namespace
}  // namespace llmd::planner
