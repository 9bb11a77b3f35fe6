#include "platform/nvidia_smi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llmd::platform {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(NvidiaSmi, NoGpu) {
  EXPECT_THAT(ParseNvidiaGpus("", true), IsEmpty());
  EXPECT_THAT(ParseNvidiaGpus("No devices were found\n", true), IsEmpty());
  EXPECT_THAT(ParseNvidiaGpus("NVIDIA-SMI has failed because, well, no driver\n", true), IsEmpty());
}

TEST(NvidiaSmi, OneGpu) {
  const auto gpus = ParseNvidiaGpus("NVIDIA GeForce RTX 4090, 24564, 8.9\n", true);
  ASSERT_THAT(gpus, SizeIs(1));
  EXPECT_EQ(gpus[0].name, "NVIDIA GeForce RTX 4090");
  EXPECT_EQ(gpus[0].vendor, "nvidia");
  EXPECT_EQ(gpus[0].memory_bytes, int64_t{24564} << 20);
  EXPECT_EQ(gpus[0].compute_capability, "8.9");
}

TEST(NvidiaSmi, EightAlike) {
  std::string list;
  for (int i = 0; i < 8; ++i) list += "NVIDIA H100 80GB HBM3, 81559, 9.0\n";
  const auto gpus = ParseNvidiaGpus(list, true);
  ASSERT_THAT(gpus, SizeIs(8));
  EXPECT_EQ(gpus[7].memory_bytes, int64_t{81559} << 20);
}

TEST(NvidiaSmi, MixedAndOddLines) {
  const auto gpus = ParseNvidiaGpus(
      "NVIDIA A100-SXM4-40GB, 40960, 8.0\r\n"
      "warning: something\n"
      ", 12, 8.0\n"
      "Tesla K80, 11441, [N/A]\n"
      "NVIDIA GB10, [N/A], 12.1\n"
      "NVIDIA Liar, -1, 8.0\n"
      "NVIDIA Liar, 99999999999999999999, 8.0\n",
      true);
  ASSERT_THAT(gpus, SizeIs(3));
  EXPECT_EQ(gpus[0].compute_capability, "8.0");
  EXPECT_EQ(gpus[1].name, "Tesla K80");
  EXPECT_EQ(gpus[1].compute_capability, "");
  EXPECT_EQ(gpus[2].memory_bytes, 0);
  EXPECT_EQ(gpus[2].compute_capability, "12.1");
}

TEST(NvidiaSmi, OldDriverWithoutComputeCapability) {
  EXPECT_EQ(NvidiaListArguments(false)[0], "--query-gpu=name,memory.total");
  const auto gpus = ParseNvidiaGpus("Tesla V100, 16160\n", false);
  ASSERT_THAT(gpus, SizeIs(1));
  EXPECT_EQ(gpus[0].memory_bytes, int64_t{16160} << 20);
}

TEST(NvidiaSmi, CudaVersion) {
  EXPECT_EQ(ParseCudaVersion("| NVIDIA-SMI 550.54   Driver Version: 550.54   CUDA Version: 12.4 |"),
            "12.4");
  EXPECT_EQ(ParseCudaVersion("| NVIDIA-SMI 600.1   CUDA UMD Version: 13.2   |"), "13.2");
  EXPECT_EQ(ParseCudaVersion("CUDA Version: N/A"), "");
  EXPECT_EQ(ParseCudaVersion("CUDA Version"), "");
  EXPECT_EQ(ParseCudaVersion("nothing"), "");
}

}  // namespace
}  // namespace llmd::platform
