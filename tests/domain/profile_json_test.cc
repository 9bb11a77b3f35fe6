#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "domain/profile.h"

namespace llmd {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// Every field away from its default.
ModelProfile FullProfile() {
  ModelProfile profile;
  profile.repo_id = "acme/tiny";
  profile.revision = std::string(40, 'a');
  profile.source = "hub";
  profile.detector = "transformers";
  profile.handler = "special";
  profile.kind = "llm";
  profile.architecture = "Qwen3ForCausalLM";
  profile.model_type = "qwen3";
  profile.loader = "AutoModelForCausalLM";
  profile.components = {{"text_encoder", "CLIPTextModel"}, {"vae", "AutoencoderKL"}};
  profile.parameters = int64_t{1} << 50;
  profile.dtype = "bfloat16";
  profile.quantization = "gptq";
  profile.context_length = 40'960;
  profile.capabilities = {"chat", "tools"};
  profile.requirements = {.packages = {"torch"}, .special = {"mamba-ssm"}, .remote_code = true};
  profile.backends = {{"transformers", true, ""}, {"vllm", false, "needs a CUDA GPU"}};
  profile.memory = {
      .weights_bytes = 1, .kv_bytes_per_token = 2, .required_bytes = 3, .fits = "tight"};
  profile.download = {.bytes = 4, .files = 5, .skipped = {{"pytorch_model.bin", "same weights"}}};
  profile.trainable = {.lora = true, .reason = "it is small"};
  profile.base_model = "acme/base";
  profile.variants = {{"Q4_K_M", {"a.gguf", "b.gguf"}, 6}};
  profile.license = "apache-2.0";
  profile.gated = true;
  profile.supported = true;
  profile.reasons = {"why not"};
  profile.evidence = {{"gguf", false, "no *.gguf file"}, {"transformers", true, "config.json"}};
  return profile;
}

TEST(ProfileJsonTest, AFullProfileGoesThereAndBack) {
  const json first = ProfileToJson(FullProfile());
  const auto back = ProfileFromJson(first);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(ProfileToJson(*back), first);
  EXPECT_EQ(back->components[1].class_name, "AutoencoderKL");
  EXPECT_EQ(back->parameters, int64_t{1} << 50);
  EXPECT_EQ(back->download.skipped[0].why, "same weights");
}

TEST(ProfileJsonTest, NoFieldOfAFullProfileIsAtItsDefault) {
  const json full = ProfileToJson(FullProfile());
  const json empty = ProfileToJson(ModelProfile());
  for (const auto& [key, value] : full.items()) {
    if (key == "schema") continue;
    EXPECT_NE(value, empty[key]) << key;
  }
}

// The names of proto/llmd/v1/profile.proto.
TEST(ProfileJsonTest, EveryFieldIsAlwaysPresent) {
  const std::set<std::string> expected = {
      "schema", "repo_id",      "revision",       "source",       "detector",     "handler",
      "kind",   "architecture", "model_type",     "loader",       "components",   "parameters",
      "dtype",  "quantization", "context_length", "capabilities", "requirements", "backends",
      "memory", "download",     "trainable",      "base_model",   "variants",     "license",
      "gated",  "supported",    "reasons",        "evidence"};
  const json profile = ProfileToJson(ModelProfile());
  std::set<std::string> found;
  for (const auto& [key, value] : profile.items()) found.insert(key);
  EXPECT_EQ(found, expected);
  for (const char* key : {"revision", "architecture", "model_type", "loader", "parameters", "dtype",
                          "context_length", "base_model", "license"}) {
    EXPECT_TRUE(profile[key].is_null()) << key;
  }
  for (const char* key :
       {"components", "capabilities", "backends", "variants", "reasons", "evidence"}) {
    EXPECT_EQ(profile[key], json::array()) << key;
  }
  EXPECT_EQ(profile["download"]["skipped"], json::array());
  EXPECT_EQ(profile["memory"]["fits"], "no");
}

TEST(ProfileJsonTest, MissingAndUnknownFieldsAreFine) {
  const auto profile = ProfileFromJson({{"repo_id", "a/b"}, {"of_the_future", {1, 2}}});
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(profile->repo_id, "a/b");
  EXPECT_EQ(profile->kind, "unsupported");
}

// One wrong type each.
TEST(ProfileJsonTest, TypesAreStrict) {
  const std::vector<std::pair<json, std::string>> wrong = {
      {json::array(), "profile is not an object"},
      {json(7), "profile is not an object"},
      {{{"repo_id", 7}}, "profile.repo_id"},
      {{{"repo_id", nullptr}}, "profile.repo_id"},
      {{{"revision", 7}}, "profile.revision"},
      {{{"parameters", "7"}}, "profile.parameters"},
      {{{"parameters", 7.5}}, "profile.parameters"},
      {{{"parameters", 18446744073709551615u}}, "profile.parameters"},
      {{{"schema", int64_t{1} << 40}}, "profile.schema"},
      {{{"gated", "yes"}}, "profile.gated"},
      {{{"gated", 1}}, "profile.gated"},
      {{{"capabilities", "chat"}}, "profile.capabilities"},
      {{{"capabilities", {"chat", 7}}}, "profile.capabilities"},
      {{{"memory", nullptr}}, "profile.memory"},
      {{{"memory", {{"weights_bytes", "1"}}}}, "profile.memory.weights_bytes"},
      {{{"components", json::object()}}, "profile.components"},
      {{{"components", {7}}}, "profile.components[0]"},
      {{{"components", {{{"class", 7}}}}}, "profile.components[0].class"},
      {{{"download", {{"skipped", {{{"path", "a"}}, {{"why", false}}}}}}},
       "profile.download.skipped[1].why"},
      {{{"variants", {{{"files", {1}}}}}}, "profile.variants[0].files"},
  };
  for (const auto& [value, where] : wrong) {
    const auto profile = ProfileFromJson(value);
    EXPECT_EQ(profile.status().code(), StatusCode::kInvalidArgument) << value;
    EXPECT_THAT(Message(profile.status()), HasSubstr(where)) << value;
    EXPECT_EQ(GetErrorInfo(profile.status()).code, "invalid_json");
  }
}

TEST(ProfileJsonTest, CapabilitiesAreFound) {
  EXPECT_TRUE(FullProfile().HasCapability("chat"));
  EXPECT_FALSE(FullProfile().HasCapability("cha"));
}

}  // namespace
}  // namespace llmd
