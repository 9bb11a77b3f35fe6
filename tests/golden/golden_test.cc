// Every golden case through the code that `check` runs: repository, probes, detective, planner.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "detectors/detective.h"
#include "engines/engines.h"
#include "golden/golden_case.h"
#include "golden/score.h"
#include "handlers/handlers.h"
#include "planner/planner.h"
#include "support/temp_folder.h"

namespace llmd::testing {
namespace {

constexpr double kMostRefused = 0.03;

struct Checker {
  std::unique_ptr<detectors::Detective> detective;
  std::vector<EngineSpec> engines;
  std::vector<HandlerSpec> handlers;
  // Room for everything: whether a model fits is not the question here.
  MachineFacts machine{.os = "linux",
                       .arch = "x86_64",
                       .cpus = 8,
                       .memory_bytes = int64_t{4} << 40,
                       .memory_available_bytes = int64_t{4} << 40,
                       .disk_free_bytes = int64_t{8} << 40};

  // `user_dir` is a user's rules.d; it may be missing.
  explicit Checker(const std::filesystem::path& user_dir = {}) {
    const std::filesystem::path daemon = LLMD_SOURCE_DIR "/daemon";
    std::vector<std::string> errors;
    detective = detectors::Detective::Load(daemon / "detectors/rules", user_dir).value();
    engines = engines::LoadEngines(daemon / "engines/profiles", user_dir, errors).value();
    handlers = handlers::LoadHandlers(daemon / "handlers/profiles", user_dir, errors).value();
    for (const std::string& error : detective->user_rule_errors()) errors.push_back(error);
    EXPECT_TRUE(errors.empty()) << errors.front();
  }

  ModelProfile Check(hub::Repository& repository) const {
    CancelSource cancel;
    const Facts facts =
        detectors::GatherFacts(repository, cancel.token(), detective->gather_options()).value();
    ModelProfile profile = detective->Inspect(facts);
    const Wish wish;
    planner::CompleteProfile({.facts = facts,
                              .machine = machine,
                              .wish = wish,
                              .engines = engines,
                              .handlers = handlers},
                             profile);
    return profile;
  }
};

// Cases whose expectation we believe to be wrong, one a line: "<repo id>: <why>".
std::set<std::string> BelievedWrong() {
  std::set<std::string> names;
  std::ifstream file(LLMD_SOURCE_DIR "/tests/golden/believed_wrong.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    names.insert(line.substr(0, line.find(':')));
  }
  return names;
}

struct Tally {
  int right = 0;
  int refused = 0;
  int wrong = 0;

  void Count(Verdict verdict) {
    if (verdict == Verdict::kRight) ++right;
    if (verdict == Verdict::kRefused) ++refused;
    if (verdict == Verdict::kWrong) ++wrong;
  }
};

void Print(const std::string& name, const Tally& tally) {
  std::cout << fmt::format("{:<18}{:>7}{:>9}{:>7}\n", name, tally.right, tally.refused,
                           tally.wrong);
}

TEST(GoldenTest, EveryCaseIsRightOrHonestlyRefused) {
  const Checker checker;
  const std::set<std::string> excused = BelievedWrong();
  std::map<std::string, Tally> groups;
  Tally all;
  for (const GoldenCase& golden : LoadGoldenCases(LLMD_SOURCE_DIR "/tests/golden/cases")) {
    const ModelProfile profile = checker.Check(*MakeRepository(golden));
    const Score score = ScoreProfile(golden, profile, planner::CheckExitCode(profile));
    groups[golden.group].Count(score.verdict);
    all.Count(score.verdict);
    if (score.verdict == Verdict::kRight || excused.contains(golden.repo_id)) continue;
    std::string text =
        golden.repo_id + (score.verdict == Verdict::kWrong ? " is wrong" : " is refused");
    for (const std::string& difference : score.differences) text += "\n    " + difference;
    if (score.verdict == Verdict::kWrong) {
      ADD_FAILURE() << text;
    } else {
      std::cout << text << "\n";
    }
  }
  std::cout << "group               right  refused  wrong\n";
  for (const auto& [name, tally] : groups) Print(name, tally);
  Print("ALL", all);
  const int count = all.right + all.refused + all.wrong;
  ASSERT_GT(count, 200);
  EXPECT_LT(all.refused, kMostRefused * count);
}

// docs/adding-a-model-type.md: a rule file and a handler file in rules.d, and the case that says
// what they are for.
TEST(GoldenTest, AModelTypeIsAddedByTwoFilesAtRunTime) {
  const std::filesystem::path invented = LLMD_SOURCE_DIR "/tests/golden/invented";
  const TempFolder rules;
  for (const char* name : {"glacier.yaml", "glacier-handler.yaml"}) {
    std::filesystem::copy_file(invented / name, rules / name);
    std::filesystem::permissions(rules / name, std::filesystem::perms::owner_all);
  }
  const std::vector<GoldenCase> cases = LoadGoldenCases(invented);
  ASSERT_EQ(cases.size(), 1u);
  const Checker with(rules.path());
  const ModelProfile profile = with.Check(*MakeRepository(cases[0]));
  const Score score = ScoreProfile(cases[0], profile, planner::CheckExitCode(profile));
  EXPECT_EQ(score.verdict, Verdict::kRight)
      << fmt::format("{}", fmt::join(score.differences, "; "));
  EXPECT_TRUE(profile.HasCapability("sparse"));
  // Without them it is refused by name.
  const ModelProfile unknown = Checker().Check(*MakeRepository(cases[0]));
  EXPECT_FALSE(unknown.supported);
  ASSERT_FALSE(unknown.reasons.empty());
  EXPECT_NE(unknown.reasons.front().find("'glacier'"), std::string::npos);
}

}  // namespace
}  // namespace llmd::testing
