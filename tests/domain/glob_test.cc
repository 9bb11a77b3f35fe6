#include "domain/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace llmd {
namespace {

TEST(GlobTest, StarCrossesEverything) {
  EXPECT_TRUE(MatchesGlob("Flux*", "FluxPipeline"));
  EXPECT_TRUE(MatchesGlob("*/flux*", "org/flux.1"));
  EXPECT_TRUE(MatchesGlob("", ""));
  EXPECT_TRUE(MatchesGlob("*", ""));
  EXPECT_FALSE(MatchesGlob("", "x"));
  EXPECT_FALSE(MatchesGlob("Flux*", "fluxPipeline"));
}

TEST(GlobTest, QuestionMarkIsOneCharacter) {
  EXPECT_TRUE(MatchesGlob("Q?_K", "Q4_K"));
  EXPECT_FALSE(MatchesGlob("Q?_K", "Q_K"));
  EXPECT_FALSE(MatchesGlob("Q?", "Q10"));
}

TEST(GlobTest, BacktracksOverEarlierChoices) {
  EXPECT_TRUE(MatchesGlob("*ab*ab", "xababab"));
  EXPECT_FALSE(MatchesGlob("*ab*abc", "xababab"));
}

TEST(GlobTest, StarOfPathsStopsAtSlash) {
  EXPECT_TRUE(MatchesPathGlob("*.gguf", "model.gguf"));
  EXPECT_FALSE(MatchesPathGlob("*.gguf", "sub/model.gguf"));
  EXPECT_TRUE(MatchesPathGlob("onnx/*.onnx", "onnx/model.onnx"));
  EXPECT_FALSE(MatchesPathGlob("onnx/*.onnx", "onnx/a/model.onnx"));
  EXPECT_FALSE(MatchesPathGlob("onnx?model", "onnx/model"));
}

TEST(GlobTest, TwoStarsOfPathsCrossFolders) {
  EXPECT_TRUE(MatchesPathGlob("**/*.onnx", "model.onnx"));
  EXPECT_TRUE(MatchesPathGlob("**/*.onnx", "a/b/model.onnx"));
  EXPECT_TRUE(MatchesPathGlob("a/**/z", "a/z"));
  EXPECT_TRUE(MatchesPathGlob("a/**/z", "a/b/c/z"));
  EXPECT_FALSE(MatchesPathGlob("a/**/z", "b/z"));
  EXPECT_TRUE(MatchesPathGlob("**", "anything/at/all"));
}

// The number of steps stays below the product of the lengths; an exponential matcher would not end.
TEST(GlobTest, EndsOnHostilePatterns) {
  const std::string text(1'000, 'a');
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesGlob(pattern + "b", text));
  EXPECT_FALSE(MatchesPathGlob("**/" + pattern + "b", text));
}

}  // namespace
}  // namespace llmd
