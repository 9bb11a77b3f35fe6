// Whole plans against files in plans/, so that a change of a rule shows in the diff what install
// does differently. LLMD_UPDATE_GOLDEN=1 rewrites the files.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "planner/models.h"

namespace llmd::planner {
namespace {

using namespace llmd::testing;  // NOLINT(google-build-using-namespace)
using nlohmann::json;

json ToJson(const Plan& plan) {
  json files = json::array();
  for (const FileEntry& file : plan.files) files.push_back(file.path);
  return {{"engine", plan.engine},
          {"handler", plan.handler},
          {"packages", plan.packages},
          {"smoke_argv", plan.smoke_argv},
          {"scripts", plan.scripts},
          {"files", files},
          {"download_bytes", plan.download_bytes},
          {"environment_bytes", plan.environment_bytes},
          {"memory_bytes", plan.memory_bytes},
          {"launch", LaunchToJson(plan.launch)}};
}

Model NemotronModel() {
  Model model = LlamaModel();
  model.profile.repo_id = "nvidia/Nemotron-H-8B";
  model.profile.model_type = "nemotron_h";
  model.profile.architecture = "NemotronHForCausalLM";
  SetCache(model,
           {{.layers = 4, .elements_per_token = 2048},
            {.kind = LayerGroup::Kind::kRecurrent, .layers = 24, .state_elements = 1'100'000}});
  return model;
}

Model VisionGgufModel() {
  Model model = GgufModel();
  model.profile.kind = "vlm";
  model.AddFile("mmproj-small-f16.gguf", 100'000'000);
  return model;
}

struct Golden {
  const char* name;
  Model (*model)();
  Asked asked;
};

class GoldenPlanTest : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenPlanTest, IsAsWritten) {
  const StatusOr<Plan> plan = GetParam().asked.MakePlan(GetParam().model());
  ASSERT_TRUE(plan.ok()) << Message(plan.status());
  const std::string text = ToJson(*plan).dump(2) + "\n";
  const std::string path =
      std::string(LLMD_SOURCE_DIR "/tests/planner/plans/") + GetParam().name + ".json";
  if (std::getenv("LLMD_UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(WriteFileAtomically(path, text, 0644).ok());
    return;
  }
  const StatusOr<std::string> golden = ReadFile(path, 1u << 20);
  ASSERT_TRUE(golden.ok()) << Message(golden.status());
  EXPECT_EQ(text, *golden);
}

INSTANTIATE_TEST_SUITE_P(
    All, GoldenPlanTest,
    ::testing::Values(
        Golden{"gguf_linux", &GgufModel, {}},
        Golden{"gguf_mac", &GgufModel, {.machine = MacMachine()}},
        Golden{"vision_gguf_q8", &VisionGgufModel, {.wish = {.variant = "Q8_0"}}},
        Golden{"llama_linux", &LlamaModel, {}},
        Golden{"llama_gpu", &LlamaModel, {.machine = GpuMachine(1, 24)}},
        Golden{"llama_small_gpu", &LlamaModel, {.machine = GpuMachine(1, 8)}},
        Golden{"llama_4bit", &LlamaModel, {.wish = {.quantization = "4bit", .context = 16'384}}},
        Golden{"nemotron_gpu", &NemotronModel, {.machine = GpuMachine(2, 24)}},
        Golden{"embedding_linux", &EmbeddingModel, {}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace llmd::planner
