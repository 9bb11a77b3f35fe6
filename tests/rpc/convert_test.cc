#include "rpc/convert.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "render/json.h"

namespace llmd::rpc {
namespace {

ModelProfile FullProfile() {
  return {
      .repo_id = "acme/tiny",
      .revision = std::string(40, 'a'),
      .source = "hub",
      .detector = "transformers",
      .handler = "general",
      .kind = "llm",
      .architecture = "LlamaForCausalLM",
      .model_type = "llama",
      .loader = "AutoModelForCausalLM",
      .components = {{.name = "unet", .class_name = "UNet"}},
      .parameters = int64_t{1} << 40,
      .dtype = "bfloat16",
      .quantization = "none",
      .context_length = 8192,
      .capabilities = {"chat"},
      .requirements = {.packages = {"torch"}, .special = {"mamba-ssm"}, .remote_code = true},
      .backends = {{.name = "vllm", .usable = false, .reason = "needs a CUDA GPU"}},
      .memory = {.weights_bytes = 1, .kv_bytes_per_token = 2, .required_bytes = 3, .fits = "yes"},
      .download = {.bytes = 4, .files = 5, .skipped = {{.path = "a.bin", .why = "same"}}},
      .trainable = {.lora = true, .reason = "because"},
      .base_model = "acme/base",
      .variants = {{.name = "Q4", .files = {"x.gguf"}, .bytes = 6}},
      .license = "mit",
      .gated = true,
      .supported = true,
      .reasons = {"one"},
      .evidence = {{.detector = "gguf", .matched = false, .because = "no file"}}};
}

// What `llmctl check --json` prints is what model_info.json keeps: two writers, one contract.
TEST(ToProto, ProfileHasEveryField) {
  const ModelProfile profile = FullProfile();
  const auto printed = nlohmann::json::parse(client::ToJsonText(ToProto(profile)));
  EXPECT_EQ(printed, ProfileToJson(profile));
}

TEST(ToProto, UnknownScalarsOfAProfileAreNull) {
  const ModelProfile profile{.repo_id = "acme/none", .source = "folder"};
  const auto printed = nlohmann::json::parse(client::ToJsonText(ToProto(profile)));
  EXPECT_EQ(printed, ProfileToJson(profile));
  EXPECT_TRUE(printed["architecture"].is_null());
  EXPECT_TRUE(printed["components"].is_array());
}

TEST(ToProto, JobWithErrorAndTimeLeft) {
  const v1::Job job =
      ToProto(JobRecord{.id = "j1",
                        .state = JobState::kFailed,
                        .error = ErrorRecord{.code = "disk_full", .message = "m", .next_step = "n"},
                        .eta_seconds = 2.5});
  EXPECT_EQ(job.state(), "failed");
  EXPECT_EQ(job.error().code(), "disk_full");
  EXPECT_EQ(job.eta_seconds(), 2.5);
  EXPECT_FALSE(ToProto(JobRecord{}).has_error());
  EXPECT_FALSE(ToProto(JobRecord{}).has_eta_seconds());
}

}  // namespace
}  // namespace llmd::rpc
