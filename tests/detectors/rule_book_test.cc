#include "detectors/rule_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/yaml_reader.h"
#include "detectors/repository_maker.h"
#include "support/temp_folder.h"

namespace llmd::detectors {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::TempFolder;

std::vector<std::string> Ids(const RuleBook& book) {
  std::vector<std::string> ids;
  for (const Rule& rule : book.rules) ids.push_back(rule.id);
  return ids;
}

std::string UserRule(const std::string& id, const std::string& before = "") {
  return "schema: 1\nid: " + id + (before.empty() ? "" : "\nbefore: " + before) +
         "\nwhen: {file: x.json}\nset: {kind: llm}\n";
}

// Group and others may not write; the umask is whatever it is.
void WriteRule(const TempFolder& folder, const std::string& name, const std::string& text) {
  ::chmod(folder.Write(name, text).c_str(), 0644);
}

TEST(RuleBookTest, OursAreInTheDesignsOrder) {
  const RuleBook book = LoadRuleBook(testing::kRulesDir, "").value();
  EXPECT_THAT(Ids(book), ElementsAre("gguf", "bagel", "controlnet", "flux", "cosmos", "diffusers",
                                     "sentence-transformers", "timm", "audio", "janus",
                                     "transformers", "none"));
  EXPECT_THAT(book.user_errors, IsEmpty());
}

TEST(RuleBookTest, UserRulesStandBeforeTheFallbackOrWhereTheySay) {
  const TempFolder user;
  WriteRule(user, "a.yaml", UserRule("one"));
  WriteRule(user, "b.yaml", UserRule("two", "gguf"));
  WriteRule(user, "handler.yaml", "schema: 1\nid: some-handler\npackages: []\n");
  const RuleBook book = LoadRuleBook(testing::kRulesDir, user.path()).value();
  const std::vector<std::string> ids = Ids(book);
  EXPECT_EQ(ids.front(), "two");
  EXPECT_EQ(*(std::find(ids.begin(), ids.end(), "transformers") - 1), "one");
  EXPECT_THAT(book.user_errors, IsEmpty());
  EXPECT_TRUE(book.rules.front().user);
}

TEST(RuleBookTest, ABrokenUserFileIsSkippedAndReported) {
  const TempFolder user;
  WriteRule(user, "bad.yaml", "schema: 1\nid: x\nwhen: {flie: a}\n");
  WriteRule(user, "same.yaml", UserRule("gguf"));
  WriteRule(user, "where.yaml", UserRule("y", "nowhere"));
  WriteRule(user, "good.yaml", UserRule("z"));
  const RuleBook book = LoadRuleBook(testing::kRulesDir, user.path()).value();
  EXPECT_THAT(Ids(book), Contains("z"));
  ASSERT_EQ(book.user_errors.size(), 3u);
  EXPECT_THAT(book.user_errors[0], HasSubstr("bad.yaml:3:8"));
  EXPECT_THAT(book.user_errors[1], HasSubstr("there is a rule 'gguf' already"));
  EXPECT_THAT(book.user_errors[2], HasSubstr("there is no rule 'nowhere'"));
}

TEST(RuleBookTest, RulesThatOthersMayWriteAreRefused) {
  const TempFolder user;
  ::chmod(user.Write("open.yaml", UserRule("open")).c_str(), 0666);
  std::filesystem::create_symlink(user.Write("real.txt", UserRule("linked")), user / "link.yaml");
  ::mkfifo((user / "pipe.yaml").c_str(), 0600);  // whoever opens it to read waits for a writer
  WriteRule(user, "short.yml", UserRule("short"));
  const RuleBook book = LoadRuleBook(testing::kRulesDir, user.path()).value();
  ASSERT_EQ(book.user_errors.size(), 4u);
  EXPECT_THAT(book.user_errors[0], HasSubstr("link.yaml:1:1: not a regular file"));
  EXPECT_THAT(book.user_errors[1], HasSubstr("open.yaml:1:1: others can write"));
  EXPECT_THAT(book.user_errors[2], HasSubstr("pipe.yaml:1:1: not a regular file"));
  EXPECT_THAT(book.user_errors[3],
              HasSubstr("short.yml:1:1: not read: its name must end in .yaml"));
}

TEST(RuleBookTest, AFolderThatOthersMayWriteToIsRefusedAsAWhole) {
  const TempFolder user;
  WriteRule(user, "good.yaml", UserRule("good"));
  ::chmod(user.path().c_str(), 0777);
  const RuleBook book = LoadRuleBook(testing::kRulesDir, user.path()).value();
  EXPECT_THAT(Ids(book), Not(Contains("good")));
  ASSERT_EQ(book.user_errors.size(), 1u);
  EXPECT_THAT(book.user_errors[0], HasSubstr("others can write to it"));
}

TEST(RuleBookTest, AnythingWrongWithOursIsAnError) {
  const TempFolder ours;
  ours.Write("order.yaml", "order: [a, b]\n");
  ours.Write("a.yaml", UserRule("a"));
  EXPECT_FALSE(LoadRuleBook(ours.path(), "").ok());
  ours.Write("b.yaml", UserRule("c"));
  EXPECT_THAT(Message(LoadRuleBook(ours.path(), "").status()), HasSubstr("its id is 'c'"));
}

// The design's vocabulary; a rule that sets another kind has a slip of the pen.
TEST(RuleBookTest, RulesSetKnownKindsAndLayouts) {
  const std::set<std::string> kinds = {"llm",
                                       "vlm",
                                       "embedding",
                                       "reranker",
                                       "text-classification",
                                       "token-classification",
                                       "seq2seq",
                                       "diffusion-image",
                                       "diffusion-video",
                                       "controlnet",
                                       "image-classification",
                                       "image-feature",
                                       "zero-shot-image",
                                       "object-detection",
                                       "segmentation",
                                       "depth",
                                       "image-to-image",
                                       "video-classification",
                                       "asr",
                                       "tts",
                                       "audio-generation",
                                       "audio-classification",
                                       "fill-mask",
                                       "question-answering",
                                       "multimodal-any",
                                       "adapter",
                                       "component",
                                       "unsupported"};
  const std::set<std::string> layouts = {"checkpoint", "gguf", "pipeline", "part", "file", "none"};
  const RuleBook book = LoadRuleBook(testing::kRulesDir, "").value();
  for (const Rule& rule : book.rules) {
    std::vector<Verdict> verdicts = {rule.verdict};
    for (const RuleCase& one : rule.cases) verdicts.push_back(one.verdict);
    for (const Verdict& verdict : verdicts) {
      for (const auto& [field, text] : verdict.set) {
        if (text.starts_with("{")) continue;
        EXPECT_TRUE(field != "kind" || kinds.contains(text)) << rule.id << ": " << text;
        EXPECT_TRUE(field != "layout" || layouts.contains(text)) << rule.id << ": " << text;
      }
    }
  }
  for (const auto& [name, entry] : testing::OurTables().classes)
    EXPECT_TRUE(kinds.contains(entry.kind)) << name;
  for (const auto& [name, entry] : testing::OurTables().pipelines)
    EXPECT_TRUE(kinds.contains(entry.kind)) << name;
}

TEST(TablesTest, SaysWhichLibrariesTheyCameFrom) {
  EXPECT_THAT(testing::OurTables().transformers_version, HasSubstr("."));
  EXPECT_THAT(testing::OurTables().diffusers_version, HasSubstr("."));
  EXPECT_GT(testing::OurTables().classes.size(), 1'000u);
}

TEST(TablesTest, FindsClassesByOldNamesAndInAnyCase) {
  const Tables& tables = testing::OurTables();
  EXPECT_EQ(tables.FindClass("LlamaForCausalLM")->loader, "AutoModelForCausalLM");
  EXPECT_EQ(tables.FindClass("MPTForCausalLM")->type, "mpt");
  EXPECT_EQ(tables.FindClass("Qwen2_5OmniModel")->kind, "multimodal-any");
  EXPECT_EQ(tables.FindClass("NoSuchClass"), nullptr);
  EXPECT_EQ(tables.FindBySuffix("FooForSequenceClassification")->kind, "text-classification");
  EXPECT_EQ(tables.FindBySuffix("Foo"), nullptr);
}

TEST(TablesTest, ABrokenTableIsAnErrorWithItsPlace) {
  const TempFolder folder;
  folder.Write("transformers.yaml", "schema: 1\nversion: 1\n");
  folder.Write("diffusers.yaml", "schema: 1\n");
  EXPECT_THAT(Message(LoadTables(folder.path()).status()),
              HasSubstr("transformers.yaml:1:1: 'types' is missing"));
  EXPECT_FALSE(LoadTables(folder / "nowhere").ok());
}

}  // namespace
}  // namespace llmd::detectors
