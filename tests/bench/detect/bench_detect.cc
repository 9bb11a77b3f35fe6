// Measures the own time of a check. See README.md.
#include <algorithm>
#include <chrono>
#include <iostream>

#include "detectors/detective.h"
#include "engines/engines.h"
#include "golden/golden_case.h"
#include "handlers/handlers.h"
#include "planner/planner.h"

namespace {

using namespace llmd;
using Timer = std::chrono::steady_clock;

double Milliseconds(Timer::time_point since) {
  return std::chrono::duration<double, std::milli>(Timer::now() - since).count();
}

struct Parts {
  std::unique_ptr<detectors::Detective> detective;
  std::vector<EngineSpec> engines;
  std::vector<HandlerSpec> handlers;
  MachineFacts machine{
      .os = "linux", .arch = "x86_64", .cpus = 8, .memory_bytes = int64_t{64} << 30};
};

Parts Load() {
  const std::string daemon = LLMD_SOURCE_DIR "/daemon";
  std::vector<std::string> errors;
  return {.detective = detectors::Detective::Load(daemon + "/detectors/rules", "").value(),
          .engines = engines::LoadEngines(daemon + "/engines/profiles", "", errors).value(),
          .handlers = handlers::LoadHandlers(daemon + "/handlers/profiles", "", errors).value()};
}

struct Sample {
  std::string name;
  double milliseconds = 0;
  size_t batch = 0;  // files of the one batch
  size_t after = 0;  // reads of what was not in it
};

// The quickest of a few runs: other programs on the machine only ever add.
Sample Measure(const Parts& parts, const testing::GoldenCase& golden) {
  constexpr int kRuns = 5;
  Sample sample{.name = golden.repo_id, .milliseconds = 1e9};
  for (int run = 0; run < kRuns; ++run) {
    const auto repository = testing::MakeRepository(golden);
    CancelSource cancel;
    const Wish wish;
    const auto start = Timer::now();
    const Facts facts =
        detectors::GatherFacts(*repository, cancel.token(), parts.detective->gather_options())
            .value();
    ModelProfile profile = parts.detective->Inspect(facts);
    planner::CompleteProfile({.facts = facts,
                              .machine = parts.machine,
                              .wish = wish,
                              .engines = parts.engines,
                              .handlers = parts.handlers},
                             profile);
    sample.milliseconds = std::min(sample.milliseconds, Milliseconds(start));
    const auto batches = repository->prefetches();
    sample.batch = batches.empty() ? 0 : batches.front().size();
    sample.after = 0;
    for (const std::string& read : repository->reads()) {
      const std::string path = read.substr(0, read.rfind(' '));
      const bool in_batch =
          !batches.empty() && std::any_of(batches.front().begin(), batches.front().end(),
                                          [&](const auto& wanted) { return wanted.path == path; });
      if (!in_batch) ++sample.after;
    }
  }
  return sample;
}

}  // namespace

int main() {
  const auto start = Timer::now();
  const Parts parts = Load();
  std::cout << fmt::format("load rules and tables once: {:.1f} ms\n", Milliseconds(start));
  std::vector<Sample> samples;
  for (const auto& golden : testing::LoadGoldenCases(LLMD_SOURCE_DIR "/tests/golden/cases")) {
    samples.push_back(Measure(parts, golden));
  }
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.milliseconds < b.milliseconds; });
  for (const double quantile : {0.5, 0.9, 0.99, 1.0}) {
    const auto at = static_cast<size_t>(quantile * static_cast<double>(samples.size() - 1));
    std::cout << fmt::format("{:3.0f} %: {:.2f} ms\n", 100 * quantile, samples[at].milliseconds);
  }
  size_t batch = 0;
  size_t after = 0;
  for (const Sample& sample : samples) {
    batch = std::max(batch, sample.batch);
    after += sample.after > 0 ? 1 : 0;
  }
  std::cout << fmt::format(
      "files in the one batch: at most {}; cases that read on after it: {} of {}\n", batch, after,
      samples.size());
  for (size_t i = 0; i < 5 && i < samples.size(); ++i) {
    const Sample& sample = samples[samples.size() - 1 - i];
    std::cout << fmt::format("  {:8.2f} ms  {}\n", sample.milliseconds, sample.name);
  }
}
