// Feeds the seeds, and what fuzzing has found, to the targets: no fuzzer needed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/targets.h"

namespace llmd::testing {
namespace {

using Target = void (*)(std::string_view);

int Replay(const std::string& folder, Target target) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(LLMD_SOURCE_DIR "/tests/fuzz/seeds/" + folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    target(bytes);
    // Cut off anywhere, too.
    for (size_t part = 1; part < 16; ++part)
      target(std::string_view(bytes).substr(0, bytes.size() * part / 16));
    ++count;
  }
  return count;
}

TEST(FuzzReplayTest, GgufHeaders) { EXPECT_GE(Replay("gguf", &FuzzGgufHeader), 4); }
TEST(FuzzReplayTest, SafetensorsHeaders) {
  EXPECT_GE(Replay("safetensors", &FuzzSafetensorsHeader), 4);
}
TEST(FuzzReplayTest, Rules) { EXPECT_GE(Replay("rule", &FuzzRule), 4); }
TEST(FuzzReplayTest, Configurations) { EXPECT_GE(Replay("config", &FuzzConfig), 4); }

}  // namespace
}  // namespace llmd::testing
