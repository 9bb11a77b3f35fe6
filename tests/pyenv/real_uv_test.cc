// The builder over the real uv and a small package. Skipped where there is no uv or no package
// index answers; everything else about it must hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/hash.h"
#include "pyenv/env_builder.h"
#include "pyenv/uv_program.h"
#include "support/temp_folder.h"

namespace llmd::pyenv {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RealUvTest : public ::testing::Test {
 protected:
  RealUvTest() {
    options_.cache_dir = folder_ / "cache";
    options_.environment["UV_CACHE_DIR"] = folder_ / "uv-cache";
    if (const fs::path own = fs::path(LLMD_SOURCE_DIR) / ".tools/bin/uv"; fs::exists(own)) {
      options_.uv = own;
    }
    request_ = {.folder = folder_ / "it's a \"model\"",
                .packages = {"idna>=3"},
                .agent_wheel = {},
                .smoke_argv = {"-c", "import idna; print(idna.encode('x'))"}};
  }
  void SetUp() override {
    const StatusOr<fs::path> uv = FindUv(options_);
    if (!uv.ok()) GTEST_SKIP() << Message(uv.status());
  }

  StatusOr<EnvResult> Build(const CancelToken& cancel = {}) {
    return MakeUvEnvBuilder(*launcher_, {.os = "linux", .arch = "x86_64"}, options_)
        ->Build(
            request_, [this](std::string_view line) { log_ += std::string(line) + "\n"; }, cancel);
  }
  int RunPython(const fs::path& environment, const std::string& code) {
    const auto exit = launcher_->Run({.program = environment / "bin/python",
                                      .arguments = {"-c", code},
                                      .environment = platform::CleanEnvironment(false),
                                      .folder = "/",
                                      .descriptors = {}},
                                     {}, {});
    return exit.ok() ? exit->code : -1;
  }

  testing::TempFolder folder_;
  EnvBuilderOptions options_;
  EnvRequest request_;
  std::unique_ptr<platform::ProcessLauncher> launcher_ = platform::MakeProcessLauncher();
  std::string log_;
};

#define BUILD_OR_SKIP(result)                                                                \
  const StatusOr<EnvResult> result = Build();                                                \
  if (GetErrorInfo(result.status()).code == "index_unreachable") {                           \
    GTEST_SKIP() << "no package index answers: " << Message(result.status());                \
  }                                                                                          \
  ASSERT_TRUE(result.ok()) << Message(result.status()) << GetErrorInfo(result.status()).code \
                           << "\n"                                                           \
                           << log_

TEST_F(RealUvTest, BuildsReusesAndSurvivesAMove) {
  BUILD_OR_SKIP(first);
  const fs::path environment = request_.folder / ".venv";
  EXPECT_EQ(RunPython(environment, "import idna"), 0);
  EXPECT_THAT(log_, HasSubstr("idna=="));
  EXPECT_FALSE(fs::exists(environment / ".lock"));

  const StatusOr<EnvResult> second = Build();
  ASSERT_TRUE(second.ok()) << Message(second.status());
  EXPECT_TRUE(second->reused);
  EXPECT_EQ(second->environment_hash, first->environment_hash);

  const fs::path moved = folder_ / "moved";
  fs::rename(request_.folder, moved);
  EXPECT_EQ(RunPython(moved / ".venv", "import idna"), 0);
  request_.folder = moved;
  EXPECT_TRUE(Build()->reused);
}

TEST_F(RealUvTest, TwoEnvironmentsShareFilesByHardLink) {
  BUILD_OR_SKIP(first);
  request_.folder = folder_ / "second";
  options_.environment["UV_OFFLINE"] = "1";  // all from the cache
  const StatusOr<EnvResult> second = Build();
  ASSERT_TRUE(second.ok()) << Message(second.status());
  EXPECT_EQ(second->environment_hash, first->environment_hash);
  for (const auto& entry : fs::recursive_directory_iterator(request_.folder / ".venv")) {
    if (entry.path().filename() != "uts46data.py") continue;
    struct stat info {};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_GE(info.st_nlink, 3u);  // the cache and both environments
    return;
  }
  FAIL() << "idna's file is not there";
}

TEST_F(RealUvTest, AnImpossibleWishIsExplained) {
  BUILD_OR_SKIP(first);
  request_.packages = {"idna>=99999"};
  const Status status = Build().status();
  EXPECT_EQ(GetErrorInfo(status).code, "unsatisfiable") << Message(status);
  EXPECT_THAT(Message(status), HasSubstr("idna>=99999"));
  EXPECT_EQ(RunPython(request_.folder / ".venv", "import idna"), 0);
}

TEST_F(RealUvTest, AFailedImportIsExplained) {
  request_.smoke_argv = {"-c", "import no_such_module_of_ours"};
  const Status status = Build().status();
  if (GetErrorInfo(status).code == "index_unreachable") GTEST_SKIP() << Message(status);
  EXPECT_EQ(GetErrorInfo(status).code, "smoke_failed") << Message(status);
  EXPECT_THAT(Message(status), HasSubstr("No module named 'no_such_module_of_ours'"));
  EXPECT_FALSE(fs::exists(request_.folder / ".venv"));
}

TEST_F(RealUvTest, AnIndexThatIsNotThereIsNamed) {
  options_.index_url = "http://user:hunter2@127.0.0.1:9/simple";
  options_.environment["UV_HTTP_RETRIES"] = "0";
  const Status status = Build().status();
  EXPECT_EQ(GetErrorInfo(status).code, "index_unreachable") << Message(status);
  EXPECT_THAT(Message(status), HasSubstr("127.0.0.1:9"));
  EXPECT_THAT(Message(status) + log_, ::testing::Not(HasSubstr("hunter2")));
}

TEST_F(RealUvTest, SaysItsVersion) {
  EXPECT_THAT(MakeUvEnvBuilder(*launcher_, {}, options_)->UvVersion(),
              ::testing::MatchesRegex("uv [0-9]+\\.[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace llmd::pyenv
