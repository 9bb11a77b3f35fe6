#include "hub/model_card.h"

#include "hub/status_matchers.h"

namespace llmd::hub {
namespace {

using ::testing::ElementsAre;

TEST(TakeModelCard, ReadsTheHead) {
  RepositoryInfo info;
  TakeModelCard(
      "---\r\nlicense: mit\nbase_model:\n- a/b\n- c/d\ntags: [chat, tiny]\n"
      "pipeline_tag: text-generation\nlibrary_name: transformers\n---\n# Title\n",
      info);
  EXPECT_EQ(info.license, "mit");
  EXPECT_EQ(info.base_model, "a/b");
  EXPECT_EQ(info.pipeline_tag, "text-generation");
  EXPECT_EQ(info.library_name, "transformers");
  EXPECT_THAT(info.tags, ElementsAre("chat", "tiny"));
}

TEST(TakeModelCard, BrokenHeadsSayNothing) {
  for (const char* card :
       {"", "# Title", "---", "---\n", "---\nlicense: mit\n", "---\n[\n---\n", "---\n- a\n---\n",
        "---\nlicense: {a: b}\n---\n", "---\nx: &a [*a]\nlicense: mit\n---\n", "license: mit\n"}) {
    RepositoryInfo info;
    TakeModelCard(card, info);
    EXPECT_EQ(info.license, std::nullopt) << card;
  }
}

}  // namespace
}  // namespace llmd::hub
