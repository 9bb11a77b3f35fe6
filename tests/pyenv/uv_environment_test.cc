#include "pyenv/uv_environment.h"

#include <gtest/gtest.h>

#include "support/temp_folder.h"

namespace llmd::pyenv {
namespace {

namespace fs = std::filesystem;

class UvEnvironmentTest : public ::testing::Test {
 protected:
  Variables Make(Variables own) {
    options_.environment = std::move(own);
    options_.cache_dir = folder_ / "cache";
    return UvEnvironment(options_, {{"PATH", "/bin"}}, folder_.path());
  }
  testing::TempFolder folder_;
  EnvBuilderOptions options_;
};

TEST_F(UvEnvironmentTest, TakesWhatReachesPackagesAndNothingElse) {
  const Variables made = Make({{"UV_INDEX", "https://a"},
                               {"UV_INDEX_CORP_PASSWORD", "p"},
                               {"UV_PROJECT", "/x"},
                               {"UV_PYTHON", "3.8"},
                               {"HF_TOKEN", "secret"},
                               {"PYTHONPATH", "/x"},
                               {"LD_PRELOAD", "/x"}});
  EXPECT_EQ(made.at("PATH"), "/bin");
  EXPECT_EQ(made.at("UV_INDEX"), "https://a");
  EXPECT_EQ(made.at("UV_INDEX_CORP_PASSWORD"), "p");
  for (const char* name : {"UV_PROJECT", "UV_PYTHON", "HF_TOKEN", "PYTHONPATH", "LD_PRELOAD"}) {
    EXPECT_FALSE(made.contains(name)) << name;
  }
  EXPECT_EQ(made.at("UV_PYTHON_DOWNLOADS"), "never");
}

TEST_F(UvEnvironmentTest, OptionsNameTheIndexes) {
  options_.index_url = "https://own/simple";
  options_.extra_index_urls = {"https://a", "https://b"};
  options_.python_downloads = true;
  const Variables made = Make({{"PIP_INDEX_URL", "https://pip"}});
  EXPECT_EQ(made.at("UV_DEFAULT_INDEX"), "https://own/simple");
  EXPECT_EQ(made.at("UV_INDEX"), "https://a https://b");
  EXPECT_EQ(made.at("UV_PYTHON_DOWNLOADS"), "manual");
}

TEST_F(UvEnvironmentTest, PipsIndexCountsWhereUvWasToldNothing) {
  Variables made = Make({{"PIP_INDEX_URL", "https://pip"}, {"PIP_EXTRA_INDEX_URL", "https://e"}});
  EXPECT_EQ(made.at("UV_DEFAULT_INDEX"), "https://pip");
  EXPECT_EQ(made.at("UV_INDEX"), "https://e");
  made = Make({{"PIP_INDEX_URL", "https://pip"}, {"UV_INDEX_URL", "https://uv"}});
  EXPECT_FALSE(made.contains("UV_DEFAULT_INDEX"));
}

TEST_F(UvEnvironmentTest, TheSystemsCertificatesCountUnlessTheUserChose) {
  EXPECT_EQ(Make({}).at("UV_SYSTEM_CERTS"), "1");
  EXPECT_FALSE(Make({{"UV_NATIVE_TLS", "0"}}).contains("UV_SYSTEM_CERTS"));
}

TEST_F(UvEnvironmentTest, TheCacheLiesWhereHardLinksReach) {
  const fs::path own = "/own";
  EXPECT_EQ(UvCacheDir({{"UV_CACHE_DIR", "/chosen"}}, own, folder_.path()), "/chosen");
  EXPECT_EQ(UvCacheDir({{"HOME", folder_.path()}}, own, folder_ / "model"),
            folder_ / ".cache" / "uv");
  EXPECT_EQ(UvCacheDir({{"HOME", "/x"}, {"XDG_CACHE_HOME", folder_ / "c"}}, own, folder_.path()),
            folder_ / "c" / "uv");
  EXPECT_EQ(UvCacheDir({{"HOME", "/proc"}}, own, folder_.path()), "/own/uv");
  EXPECT_EQ(UvCacheDir({{"HOME", "relative"}}, own, folder_.path()), "/own/uv");
  EXPECT_EQ(UvCacheDir({}, own, folder_.path()), "/own/uv");
}

TEST_F(UvEnvironmentTest, CpuTorchComesFromUvsBackendOrTheNamedIndex) {
  Variables made = {{"UV_INDEX", "https://a"}};
  PreferCpuTorch(options_, made);
  EXPECT_EQ(made, (Variables{{"UV_INDEX", "https://a"}, {"UV_TORCH_BACKEND", "cpu"}}));
  options_.torch_cpu_index = "https://cpu";
  made = {{"UV_INDEX", "https://a"}};
  PreferCpuTorch(options_, made);
  EXPECT_EQ(made, (Variables{{"UV_INDEX", "https://cpu https://a"},
                             {"UV_INDEX_STRATEGY", "unsafe-best-match"}}));
}

}  // namespace
}  // namespace llmd::pyenv
