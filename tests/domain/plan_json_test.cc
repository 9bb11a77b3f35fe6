#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "domain/plan.h"

namespace llmd {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json FullLaunch() {
  return {{"engine", "llama.cpp"},
          {"bind", "unix"},
          {"argv", {"{python}", "-m", "x", "--model", "{weights}"}},
          {"environment", {{"OMP_NUM_THREADS", "{threads}"}}},
          {"routes", {"POST /v1/chat/completions", "GET /health"}},
          {"ready_timeout_seconds", 900},
          {"weights", "model/x.gguf"},
          {"loader", "llama.cpp"},
          {"kind", "llm"},
          {"name", "acme/tiny"},
          {"context", 8192},
          {"parallel", 2},
          {"threads", 3}};
}

TEST(PlanJsonTest, ALaunchGoesThereAndBack) {
  const auto launch = LaunchFromJson(FullLaunch());
  ASSERT_TRUE(launch.ok()) << launch.status();
  EXPECT_EQ(launch->environment.at("OMP_NUM_THREADS"), "{threads}");
  EXPECT_EQ(launch->ready_timeout_seconds, 900);
  const json again = LaunchToJson(*launch);
  const json full = FullLaunch();
  for (const auto& [key, value] : full.items()) EXPECT_EQ(again[key], value) << key;
  EXPECT_EQ(LaunchToJson(*LaunchFromJson(again)), again);
}

TEST(PlanJsonTest, AnEmptyLaunchHasEveryFieldToo) {
  const json launch = LaunchToJson(Launch());
  const json full = FullLaunch();
  for (const auto& [key, value] : full.items()) {
    ASSERT_TRUE(launch.contains(key)) << key;
    EXPECT_EQ(launch[key].is_number(), value.is_number()) << key;
  }
  EXPECT_EQ(launch["argv"], json::array());
  EXPECT_EQ(launch["environment"], json::object());
}

TEST(PlanJsonTest, TypesAreStrictMissingFieldsAreFine) {
  EXPECT_TRUE(LaunchFromJson(json::object()).ok());
  EXPECT_EQ(LaunchFromJson(json::object())->ready_timeout_seconds, Launch().ready_timeout_seconds);
  const json full = FullLaunch();
  for (const auto& [key, value] : full.items()) {
    json wrong = full;
    wrong[key] = value.is_boolean() ? json(7) : json(true);
    const auto launch = LaunchFromJson(wrong);
    EXPECT_EQ(launch.status().code(), StatusCode::kInvalidArgument) << key;
    EXPECT_THAT(Message(launch.status()), HasSubstr("launch." + key));
  }
  EXPECT_FALSE(LaunchFromJson({{"environment", {{"A", 1}}}}).ok());
  EXPECT_FALSE(LaunchFromJson({{"parallel", int64_t{1} << 33}}).ok());
  EXPECT_FALSE(LaunchFromJson(nullptr).ok());
}

}  // namespace
}  // namespace llmd
