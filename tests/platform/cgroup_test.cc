#include "platform/cgroup.h"

#include <gtest/gtest.h>

#include "support/temp_folder.h"

namespace llmd::platform {
namespace {

using testing::TempFolder;

constexpr int64_t kMiB = 1 << 20;

class CgroupV2 : public ::testing::Test {
 protected:
  void SetUp() override {
    root_.Write("proc/self/cgroup", "0::/user.slice/llmd.service\n");
    root_.Write("proc/self/mountinfo",
                "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
                "31 22 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  std::string Own(const std::string& name) {
    return "sys/fs/cgroup/user.slice/llmd.service/" + name;
  }
  TempFolder root_;
};

TEST_F(CgroupV2, NoLimits) {
  root_.Write(Own("cpu.max"), "max 100000\n");
  root_.Write(Own("memory.max"), "max\n");
  const CgroupFacts facts = ReadCgroup(root_.path());
  EXPECT_FALSE(facts.cpus);
  EXPECT_FALSE(facts.memory_limit);
  EXPECT_FALSE(facts.oom_kills);
}

TEST_F(CgroupV2, QuotaAndMemory) {
  root_.Write(Own("cpu.max"), "150000 100000\n");
  root_.Write(Own("memory.max"), std::to_string(512 * kMiB));
  root_.Write(Own("memory.current"), std::to_string(300 * kMiB));
  root_.Write(Own("memory.stat"), "anon 1\ninactive_file " + std::to_string(100 * kMiB) + "\n");
  root_.Write(Own("memory.events"), "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\n");
  const CgroupFacts facts = ReadCgroup(root_.path());
  EXPECT_DOUBLE_EQ(facts.cpus.value(), 1.5);
  EXPECT_EQ(facts.memory_limit.value(), 512 * kMiB);
  EXPECT_EQ(facts.memory_allowed.value(), 312 * kMiB);
  EXPECT_EQ(facts.oom_kills.value(), 2);
}

TEST_F(CgroupV2, LimitsOfTheGroupsAboveCount) {
  root_.Write(Own("memory.max"), std::to_string(512 * kMiB));
  root_.Write("sys/fs/cgroup/user.slice/memory.max", std::to_string(256 * kMiB));
  root_.Write("sys/fs/cgroup/user.slice/cpu.max", "50000 100000");
  const CgroupFacts facts = ReadCgroup(root_.path());
  EXPECT_EQ(facts.memory_limit.value(), 256 * kMiB);
  EXPECT_DOUBLE_EQ(facts.cpus.value(), 0.5);
}

TEST_F(CgroupV2, ContainerSeesItsGroupAsTheTop) {
  root_.Write("proc/self/cgroup", "0::/../../outside\n");
  root_.Write("sys/fs/cgroup/memory.max", std::to_string(64 * kMiB));
  EXPECT_EQ(ReadCgroup(root_.path()).memory_limit.value(), 64 * kMiB);
}

TEST_F(CgroupV2, BrokenFilesAreNoLimits) {
  root_.Write(Own("cpu.max"), "plenty\n");
  root_.Write(Own("memory.max"), "-5");
  root_.Write(Own("memory.events"), "oom_kill");
  const CgroupFacts facts = ReadCgroup(root_.path());
  EXPECT_FALSE(facts.cpus);
  EXPECT_FALSE(facts.memory_limit);
  EXPECT_FALSE(facts.oom_kills);
}

TEST(CgroupV1, QuotaAndMemoryInTwoHierarchies) {
  TempFolder root;
  root.Write("proc/self/cgroup",
             "8:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/\n");
  root.Write("proc/self/mountinfo",
             "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
             "36 31 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
             "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  const std::string cpu = "sys/fs/cgroup/cpu,cpuacct/docker/abc/";
  const std::string memory = "sys/fs/cgroup/memory/docker/abc/";
  root.Write(cpu + "cpu.cfs_quota_us", "200000\n");
  root.Write(cpu + "cpu.cfs_period_us", "100000\n");
  root.Write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  root.Write(memory + "memory.limit_in_bytes", std::to_string(100 * kMiB));
  root.Write(memory + "memory.usage_in_bytes", std::to_string(40 * kMiB));
  root.Write(memory + "memory.stat", "cache 5\ntotal_inactive_file 0\n");
  root.Write(memory + "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
  root.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  root.Write("sys/fs/cgroup/unified/cgroup.procs", "1\n");
  const CgroupFacts facts = ReadCgroup(root.path());
  EXPECT_DOUBLE_EQ(facts.cpus.value(), 2.0);
  EXPECT_EQ(facts.memory_limit.value(), 100 * kMiB);
  EXPECT_EQ(facts.memory_allowed.value(), 60 * kMiB);
  EXPECT_EQ(facts.oom_kills.value(), 7);
}

TEST(Cgroup, WithoutGroupsNothingIsSaid) {
  TempFolder root;
  const CgroupFacts facts = ReadCgroup(root.path());
  EXPECT_FALSE(facts.cpus);
  EXPECT_FALSE(facts.memory_limit);
  EXPECT_FALSE(facts.memory_allowed);
  EXPECT_FALSE(facts.oom_kills);
}

}  // namespace
}  // namespace llmd::platform
