// Every golden case through the code that `check` runs: repository, probes, detective, planner.
#include <gtest/gtest.h>

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

  Checker() {
    const std::filesystem::path daemon = LLMD_SOURCE_DIR "/daemon";
    std::vector<std::string> errors;
    detective = detectors::Detective::Load(daemon / "detectors/rules", "").value();
    engines = engines::LoadEngines(daemon / "engines/profiles", "", errors).value();
    handlers = handlers::LoadHandlers(daemon / "handlers/profiles", "", errors).value();
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

}  // namespace
}  // namespace llmd::testing
