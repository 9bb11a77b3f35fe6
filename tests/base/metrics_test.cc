#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace llmd {
namespace {

using ::testing::HasSubstr;

TEST(MetricsTest, RendersCountersGaugesAndHistograms) {
  Metrics metrics;
  metrics.Count(metric::kJobs, {{"kind", "install"}, {"state", "failed"}});
  metrics.Count(metric::kJobs, {{"kind", "install"}, {"state", "failed"}}, 2);
  metrics.SetGauge(metric::kMemoryBytes, {{"kind", "capacity"}}, 5);
  metrics.AddGauge(metric::kInFlight, {{"model", "a/b"}}, 1);
  metrics.AddGauge(metric::kInFlight, {{"model", "a/b"}}, -1);
  metrics.Observe(metric::kRequestSeconds, {{"model", "a/b"}, {"api", "chat"}}, 0.3);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("llmd_jobs_ended_total{kind=\"install\",state=\"failed\"} 3"));
  EXPECT_THAT(text, HasSubstr("llmd_memory_bytes{kind=\"capacity\"} 5"));
  EXPECT_THAT(text, HasSubstr("llmd_requests_in_flight{model=\"a/b\"} 0"));
  EXPECT_THAT(text, HasSubstr("le=\"0.5\"} 1"));
  EXPECT_THAT(text, HasSubstr("le=\"0.25\"} 0"));
}

TEST(MetricsTest, LabelsAreEscaped) {
  Metrics metrics;
  metrics.Count(metric::kReadopted, {{"model", "a\"b\\c\nd"}});
  EXPECT_THAT(metrics.Render(), HasSubstr(R"(model="a\"b\\c\nd")"));
}

TEST(MetricsTest, CountsFromManyThreads) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 1000; ++i) metrics.Count(metric::kReadopted, {});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Render(), HasSubstr("llmd_readopted_total 4000"));
}

}  // namespace
}  // namespace llmd
