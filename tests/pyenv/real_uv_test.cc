// The builder over the real uv and a small package. Skipped where there is no uv or no package
// index answers; everything else about it must hold.
#include <absl/cleanup/cleanup.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "pyenv/env_builder.h"
#include "pyenv/uv_program.h"
#include "support/temp_folder.h"

namespace llmd::pyenv {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const MachineFacts kMachine{.os = "linux", .arch = "x86_64"};

class RealUvTest : public ::testing::Test {
 protected:
  RealUvTest() {
    // Version managers answer slowly, through their shims: the system's Python will do.
    ::setenv("PATH", "/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin", 1);
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
    return MakeUvEnvBuilder(*launcher_, kMachine, options_)
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

// What an environment holds: files by digest, links by target. Compiled code is left out, as it
// carries the time of its making.
std::map<std::string, std::string> Contents(const fs::path& environment) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(environment)) {
    const std::string name = fs::relative(entry.path(), environment);
    if (name.find("__pycache__") != std::string::npos) continue;
    if (entry.is_symlink()) {
      contents[name] = fs::read_symlink(entry.path());
    } else if (entry.is_regular_file()) {
      contents[name] = *Sha256OfFile(entry.path());
    }
  }
  return contents;
}

TEST_F(RealUvTest, ABuilderThatIsKilledAnywhereIsFinishedByTheNext) {
  BUILD_OR_SKIP(clean);
  const auto expected = Contents(request_.folder / ".venv");
  const long lines = std::ranges::count(log_, '\n');
  ASSERT_GT(lines, 5);
  for (long kill_after = 1; kill_after < lines; ++kill_after) {
    request_.folder = folder_ / fmt::format("round {}", kill_after);
    const pid_t builder = ::fork();
    if (builder == 0) {
      // Ends by SIGKILL within its n-th log line, whatever uv is doing meanwhile.
      long left = kill_after;
      const StatusOr<EnvResult> result = MakeUvEnvBuilder(*launcher_, kMachine, options_)
                                             ->Build(request_,
                                                     [&left](std::string_view) {
                                                       if (--left == 0) ::kill(::getpid(), SIGKILL);
                                                     },
                                                     {});
      ::_exit(result.ok() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(builder, &status, 0), builder);
    ASSERT_TRUE(WIFSIGNALED(status)) << "round " << kill_after << " status " << status;
    const StatusOr<EnvResult> next = Build();
    ASSERT_TRUE(next.ok()) << "round " << kill_after << Message(next.status());
    EXPECT_EQ(next->environment_hash, clean->environment_hash);
    EXPECT_EQ(Contents(request_.folder / ".venv"), expected) << "round " << kill_after;
    EXPECT_EQ(std::distance(fs::directory_iterator(request_.folder), {}), 3);
  }
}

// Needs the right to mount.
TEST_F(RealUvTest, AFullDiskIsSaidAndMoreSpaceHelps) {
  BUILD_OR_SKIP(warm);
  const fs::path small = folder_ / "small";
  fs::create_directory(small);
  if (::mount("none", small.c_str(), "tmpfs", 0, "size=400k") != 0) {
    GTEST_SKIP() << "cannot mount a small file system here";
  }
  const absl::Cleanup unmount = [&small] { ::umount2(small.c_str(), MNT_DETACH); };
  request_.folder = small / "model";
  const Status full = Build().status();
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted) << Message(full);
  EXPECT_EQ(GetErrorInfo(full).code, "disk_full") << Message(full);
  EXPECT_FALSE(fs::exists(request_.folder / ".venv"));
  ASSERT_EQ(::mount("none", small.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  const StatusOr<EnvResult> result = Build();
  ASSERT_TRUE(result.ok()) << Message(result.status());
  EXPECT_EQ(RunPython(request_.folder / ".venv", "import idna"), 0);
}

TEST_F(RealUvTest, TheAgentIsInstalledWithWhatItNeeds) {
  const fs::path wheels = fs::path(LLMD_BINARY_DIR) / "share/llmd/wheels";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(wheels, error)) {
    if (entry.path().extension() == ".whl") request_.agent_wheel = entry.path();
  }
  if (request_.agent_wheel.empty()) GTEST_SKIP() << "the agent's wheel is not built";
  BUILD_OR_SKIP(result);
  EXPECT_EQ(result->agent_wheel_sha256, *Sha256OfFile(request_.agent_wheel));
  EXPECT_EQ(RunPython(request_.folder / ".venv", "import fastapi, llm_agent, uvicorn"), 0);
  const std::string lock = *ReadFile(request_.folder / "requirements.lock", 1u << 20);
  EXPECT_THAT(lock, HasSubstr("\nfastapi=="));
  EXPECT_THAT(lock, ::testing::Not(HasSubstr("\nllm")));
}

TEST_F(RealUvTest, CancelEndsUv) {
  BUILD_OR_SKIP(warm);
  request_.folder = folder_ / "cancelled";
  CancelSource source;
  const StatusOr<EnvResult> result = MakeUvEnvBuilder(*launcher_, kMachine, options_)
                                         ->Build(
                                             request_,
                                             [&source](std::string_view line) {
                                               if (line == "building the environment")
                                                 source.Cancel();
                                             },
                                             source.token());
  EXPECT_EQ(result.status().code(), StatusCode::kCancelled);
  EXPECT_FALSE(fs::exists(request_.folder / ".venv"));
  EXPECT_TRUE(Build().ok());
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
