#include "platform/machine_probe.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "platform/machine_probe_parts.h"
#include "support/temp_folder.h"

namespace llmd::platform {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;

MachineFacts EightCpus() {
  return {.cpus = 8, .memory_bytes = 64 * kGiB, .memory_available_bytes = 60 * kGiB};
}

TEST(MachineProbe, MeasuresThisMachine) {
  const auto probe = MakeMachineProbe();
  testing::TempFolder folder;
  const MachineFacts facts = probe->Measure(folder / "not/made/yet");
  EXPECT_TRUE(facts.os == "linux" || facts.os == "macos");
  EXPECT_FALSE(facts.arch.empty());
  EXPECT_GE(facts.cpus, 1);
  EXPECT_LE(facts.cpus, ::sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_GT(facts.memory_bytes, 0);
  EXPECT_GT(facts.memory_available_bytes, 0);
  EXPECT_LE(facts.memory_available_bytes, facts.memory_bytes);
  EXPECT_GT(facts.disk_free_bytes, 0);
}

TEST(MachineProbe, ResidentBytes) {
  const auto probe = MakeMachineProbe();
  EXPECT_GT(probe->ResidentBytes(::getpid()), 1 << 20);
  EXPECT_EQ(probe->ResidentBytes(0), 0);
  EXPECT_EQ(probe->ResidentBytes(-1), 0);
  EXPECT_EQ(probe->ResidentBytes(2'000'000'000), 0);
}

TEST(MachineProbe, CgroupLowersButNeverRaises) {
  MachineFacts facts = EightCpus();
  ApplyCgroup({.cpus = 2.5, .memory_limit = 16 * kGiB, .memory_allowed = 4 * kGiB}, facts);
  EXPECT_EQ(facts.cpus, 3);
  EXPECT_EQ(facts.memory_bytes, 16 * kGiB);
  EXPECT_EQ(facts.memory_available_bytes, 4 * kGiB);

  facts = EightCpus();
  ApplyCgroup({.cpus = 100, .memory_limit = 500 * kGiB, .memory_allowed = 500 * kGiB}, facts);
  EXPECT_EQ(facts.cpus, 8);
  EXPECT_EQ(facts.memory_bytes, 64 * kGiB);
  EXPECT_EQ(facts.memory_available_bytes, 60 * kGiB);

  facts = EightCpus();
  ApplyCgroup({.cpus = 0.1, .memory_limit = 32 * kGiB}, facts);
  EXPECT_EQ(facts.cpus, 1);
  EXPECT_EQ(facts.memory_available_bytes, 32 * kGiB);
}

TEST(MachineProbe, GpuWithoutMemoryOfItsOwnUsesTheMachines) {
  MachineFacts facts = EightCpus();
  ApplyGpus({{.name = "A", .vendor = "nvidia", .memory_bytes = 8 * kGiB}}, facts);
  EXPECT_FALSE(facts.unified_memory);
  EXPECT_EQ(facts.gpus[0].memory_bytes, 8 * kGiB);
  ApplyGpus({{.name = "B", .vendor = "nvidia"}}, facts);
  EXPECT_TRUE(facts.unified_memory);
  EXPECT_EQ(facts.gpus[0].memory_bytes, 64 * kGiB);
}

#if defined(__linux__)
TEST(MachineProbe, Meminfo) {
  const MemoryFacts facts = ParseMeminfo(
      "MemTotal:       24621056 kB\nMemFree:  1 kB\nMemAvailable:    20000000 kB\nSwapTotal: 7 "
      "kB\n");
  EXPECT_EQ(facts.total, int64_t{24621056} << 10);
  EXPECT_EQ(facts.available, int64_t{20000000} << 10);
  EXPECT_EQ(ParseMeminfo("").total, 0);
  EXPECT_EQ(ParseMeminfo("MemTotal:").total, 0);
}
#endif

}  // namespace
}  // namespace llmd::platform
