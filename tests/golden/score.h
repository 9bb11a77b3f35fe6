// Scores a profile against a golden case's expectation.
#pragma once

#include <string>
#include <vector>

#include "domain/profile.h"
#include "golden/golden_case.h"

namespace llmd::testing {

enum class Verdict {
  kRight,    // every expected field is equal or accepted, and nothing is plainly wrong
  kRefused,  // declined with a reason where support was expected: honest
  kWrong,
};

struct Score {
  Verdict verdict = Verdict::kRight;
  std::vector<std::string> differences;
};

Score ScoreProfile(const GoldenCase& golden, const ModelProfile& profile, int exit_code);

}  // namespace llmd::testing
