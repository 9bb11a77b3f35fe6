// The builder over a fake uv: what it asks uv for, what it leaves on disk, how it goes on after it
// was cut off.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/hash.h"
#include "pyenv/env_builder.h"
#include "pyenv/fake_uv.h"
#include "support/temp_folder.h"

namespace llmd::pyenv {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using testing::FakeRun;
using testing::FakeUv;
using ::testing::HasSubstr;
using ::testing::Not;

const MachineFacts kCpuMachine{.os = "linux", .arch = "x86_64"};

class UvEnvBuilderTest : public ::testing::Test {
 protected:
  UvEnvBuilderTest() {
    uv_program_ = folder_.Write("bin/uv", "");
    fs::permissions(uv_program_, fs::perms::owner_all);
    request_ = {.folder = folder_ / "model",
                .packages = {"idna", "anyio>=4"},
                .agent_wheel = folder_.Write("a b/llm_agent-0.1.0-py3-none-any.whl", "wheel"),
                .smoke_argv = {"-c", "import idna"}};
  }

  StatusOr<EnvResult> Build(const CancelToken& cancel = {}) {
    const auto builder = MakeUvEnvBuilder(
        launcher_, machine_,
        {.uv = uv_program_, .cache_dir = folder_ / "cache", .environment = environment_});
    uv_.commands.clear();
    return builder->Build(
        request_, [this](std::string_view line) { log_.emplace_back(line); }, cancel);
  }
  void FailOnce(const std::string& command, std::vector<std::string> lines, int code = 1) {
    uv_.instead[command] = [this, command, lines, code](const platform::ProcessSpec&) {
      uv_.instead.erase(command);
      return FakeRun{.lines = lines, .exit = {.code = code}};
    };
  }
  // The last spec of a command that contains `word`.
  platform::ProcessSpec Last(const std::string& word) const {
    platform::ProcessSpec last;
    for (const platform::ProcessSpec& spec : launcher_.specs()) {
      if (std::ranges::count(spec.arguments, word) > 0) last = spec;
    }
    return last;
  }
  std::string Read(const std::string& name) const { return folder_.Read("model/" + name); }

  // Nothing of a build under way is left, and what is there is whole.
  void ExpectWhole(const EnvResult& result) {
    EXPECT_EQ(Read(".venv/packages"), "installed\n");
    EXPECT_EQ(Read(".venv/agent"), "installed\n");
    EXPECT_FALSE(fs::exists(folder_ / "model/.venv/half"));
    EXPECT_EQ(result.lock_sha256, Sha256Hex(Read("requirements.lock")));
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(request_.folder)) {
      names.push_back(entry.path().filename());
    }
    EXPECT_THAT(names,
                ::testing::UnorderedElementsAre(".venv", "requirements.txt", "requirements.lock"));
  }

  testing::TempFolder folder_;
  fs::path uv_program_;
  EnvRequest request_;
  MachineFacts machine_ = kCpuMachine;
  std::map<std::string, std::string> environment_ = {{"HOME", "/nowhere"}};
  FakeUv uv_;
  testing::FakeProcessLauncher launcher_{
      [this](const platform::ProcessSpec& spec, const CancelToken& cancel) {
        return uv_.Run(spec, cancel);
      }};
  std::vector<std::string> log_;
};

TEST_F(UvEnvBuilderTest, BuildsBesideAndPutsInPlace) {
  const StatusOr<EnvResult> result = Build();
  ASSERT_TRUE(result.ok()) << Message(result.status());
  ExpectWhole(*result);
  EXPECT_FALSE(result->reused);
  EXPECT_EQ(result->python_version, "3.12.1");
  EXPECT_EQ(result->agent_wheel_sha256, Sha256Hex("wheel"));
  EXPECT_EQ(result->environment_hash.size(), 64u);
  EXPECT_THAT(uv_.commands,
              ::testing::ElementsAre("--version", "python find", "ask", "pip compile", "venv",
                                     "pip sync", "pip install", "pip check", "smoke"));
  EXPECT_THAT(Read("requirements.txt"), HasSubstr("idna\nanyio>=4\n"));
  EXPECT_THAT(Last("venv").arguments, Contains("--relocatable"));
  EXPECT_THAT(Last("sync").arguments, Contains("--require-hashes"));
  EXPECT_THAT(Last("sync").arguments, Contains(":all:"));
  EXPECT_THAT(Last("install").arguments, Contains("--no-deps"));
  EXPECT_EQ(FakeUv::Argument(Last("compile"), "--no-emit-package"), "llm_agent");
}

TEST_F(UvEnvBuilderTest, TheSmokeTestSeesNeitherNetworkNorTheUsersPackages) {
  ASSERT_TRUE(Build().ok());
  const platform::ProcessSpec smoke = Last("import idna");
  EXPECT_EQ(smoke.environment.at("HF_HUB_OFFLINE"), "1");
  EXPECT_EQ(smoke.environment.at("PYTHONNOUSERSITE"), "1");
  EXPECT_FALSE(smoke.environment.contains("UV_CACHE_DIR"));
  EXPECT_THAT(smoke.program.string(), HasSubstr("/.venv-"));
}

TEST_F(UvEnvBuilderTest, TheSameAgainIsReused) {
  const StatusOr<EnvResult> first = Build();
  const StatusOr<EnvResult> second = Build();
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->reused);
  EXPECT_EQ(second->environment_hash, first->environment_hash);
  EXPECT_EQ(uv_.Count("pip compile") + uv_.Count("pip sync") + uv_.Count("smoke"), 0);
  ExpectWhole(*second);
}

TEST_F(UvEnvBuilderTest, WhatChangesTheEnvironmentChangesItsHash) {
  const std::string before = Build()->environment_hash;
  request_.packages.push_back("h11");
  const std::string packages = Build()->environment_hash;
  EXPECT_EQ(uv_.Count("pip compile"), 1);
  folder_.Write("a b/llm_agent-0.1.0-py3-none-any.whl", "other wheel");
  const std::string wheel = Build()->environment_hash;
  uv_.python_version = "3.13.0";
  const StatusOr<EnvResult> last = Build();
  EXPECT_EQ((std::set{before, packages, wheel, last->environment_hash}.size()), 4u);
  ExpectWhole(*last);
}

TEST_F(UvEnvBuilderTest, ANewPatchOfPythonKeepsTheLock) {
  ASSERT_TRUE(Build().ok());
  uv_.python_version = "3.12.2";
  const StatusOr<EnvResult> result = Build();
  EXPECT_EQ(uv_.Count("pip compile"), 0);
  EXPECT_EQ(uv_.Count("pip sync"), 1);
  EXPECT_FALSE(result->reused);
}

TEST_F(UvEnvBuilderTest, TheUsersAdditionsAreInstalledAndKept) {
  ASSERT_TRUE(Build().ok());
  folder_.Write("model/requirements.txt", Read("requirements.txt") + "soundfile\n");
  const StatusOr<EnvResult> result = Build();
  EXPECT_FALSE(result->reused);
  EXPECT_THAT(Read("requirements.txt"), ::testing::EndsWith("soundfile\n"));
  EXPECT_THAT(Read("requirements.lock"), HasSubstr("soundfile=="));
}

TEST_F(UvEnvBuilderTest, AKilledBuildIsFinishedByTheNext) {
  const StatusOr<EnvResult> clean = Build();
  const int commands = static_cast<int>(uv_.commands.size());
  ASSERT_TRUE(clean.ok());
  for (int kill_at = 0; kill_at < commands; ++kill_at) {
    fs::remove_all(request_.folder);
    uv_.kill_at = kill_at;
    EXPECT_THROW((void)Build(), testing::Killed) << kill_at;
    uv_.kill_at = -1;
    const StatusOr<EnvResult> next = Build();
    ASSERT_TRUE(next.ok()) << kill_at << Message(next.status());
    EXPECT_EQ(next->environment_hash, clean->environment_hash) << kill_at;
    ExpectWhole(*next);
  }
}

TEST_F(UvEnvBuilderTest, AKilledRebuildNeverTouchesTheOldEnvironment) {
  ASSERT_TRUE(Build().ok());
  request_.packages.push_back("h11");
  for (int kill_at = 0; kill_at < 9; ++kill_at) {
    folder_.Write("model/.venv/old", "still here");
    uv_.kill_at = kill_at;
    EXPECT_THROW((void)Build(), testing::Killed) << kill_at;
    EXPECT_EQ(Read(".venv/old"), "still here") << kill_at;
    fs::remove(folder_ / "model/requirements.lock");
  }
  uv_.kill_at = -1;
  ExpectWhole(*Build());
}

TEST_F(UvEnvBuilderTest, AFinishedOneThatWasNotYetInPlaceIsTaken) {
  const StatusOr<EnvResult> result = Build();
  fs::rename(folder_ / "model/.venv",
             folder_ / ("model/.venv-" + result->environment_hash.substr(0, 12)));
  ASSERT_TRUE(Build().ok());
  EXPECT_EQ(uv_.Count("venv"), 0);
  ExpectWhole(*result);
}

TEST_F(UvEnvBuilderTest, AnEnvironmentWhosePythonIsGoneIsBuiltAnew) {
  ASSERT_TRUE(Build().ok());
  uv_.instead["ask"] = [this](const platform::ProcessSpec& spec) -> StatusOr<FakeRun> {
    if (spec.program == FakeUv::kPython) return uv_.Answer("ask", spec);
    return NotFound("no such file");
  };
  const StatusOr<EnvResult> result = Build();
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->reused);
  EXPECT_EQ(uv_.Count("pip sync"), 1);
  ExpectWhole(*result);
}

TEST_F(UvEnvBuilderTest, AFailureLeavesTheOldEnvironmentAndNoHalfOne) {
  ASSERT_TRUE(Build().ok());
  request_.packages.push_back("h11");
  for (const char* command :
       {"pip compile", "venv", "pip sync", "pip install", "pip check", "smoke"}) {
    folder_.Write("model/.venv/old", "still here");
    FailOnce(command, {"error: went wrong"});
    const StatusOr<EnvResult> result = Build();
    ASSERT_FALSE(result.ok()) << command;
    EXPECT_THAT(Message(result.status()), HasSubstr("went wrong")) << command;
    EXPECT_EQ(Read(".venv/old"), "still here");
    for (const auto& entry : fs::directory_iterator(request_.folder)) {
      const std::string name = entry.path().filename();
      EXPECT_TRUE(!name.starts_with(".venv-") || name == ".venv-work") << command << ' ' << name;
    }
  }
}

TEST_F(UvEnvBuilderTest, ErrorsAreTyped) {
  FailOnce("pip compile", {"error: No solution found when resolving dependencies",
                           "  cause: your requirements are unsatisfiable."});
  EXPECT_EQ(GetErrorInfo(Build().status()).code, "unsatisfiable");
  FailOnce("pip sync", {"error: x", "  cause: No space left on device (os error 28)"});
  EXPECT_EQ(GetErrorInfo(Build().status()).code, "disk_full");
  FailOnce("smoke", {"Traceback", "ImportError: no idna"});
  const Status smoke = Build().status();
  EXPECT_EQ(GetErrorInfo(smoke).code, "smoke_failed");
  EXPECT_THAT(Message(smoke), HasSubstr("ImportError: no idna"));
}

TEST_F(UvEnvBuilderTest, WhereNoIndexAnswersTheCacheIsTried) {
  const std::string unreachable = "error: Failed to fetch: https://i.example.org/simple/idna/";
  for (const char* command : {"pip compile", "pip sync"}) {
    FailOnce(command, {unreachable}, 2);
    const StatusOr<EnvResult> result = Build();
    ASSERT_TRUE(result.ok()) << command << Message(result.status());
    EXPECT_EQ(uv_.Count(command), 2);
    ExpectWhole(*result);
    fs::remove_all(request_.folder);
  }
  uv_.instead["pip compile"] = [&](const platform::ProcessSpec& spec) {
    const bool offline = spec.environment.contains("UV_OFFLINE");
    return FakeRun{.lines = {offline ? "error: not in the cache" : unreachable},
                   .exit = {.code = 2}};
  };
  const Status status = Build().status();
  EXPECT_EQ(GetErrorInfo(status).code, "index_unreachable");
  EXPECT_THAT(Message(status), HasSubstr("https://i.example.org"));
}

TEST_F(UvEnvBuilderTest, NoPythonIsSaid) {
  uv_.instead["python find"] = [](const platform::ProcessSpec&) {
    return FakeRun{.lines = {"error: No interpreter found"}, .exit = {.code = 2}};
  };
  const Status status = Build().status();
  EXPECT_EQ(GetErrorInfo(status).code, "python_missing");
  EXPECT_EQ(uv_.Count("python install"), 0);
}

TEST_F(UvEnvBuilderTest, AnyPythonFromTenOnWillDo) {
  FailOnce("python find", {"error: No interpreter found"}, 2);
  uv_.python_version = "3.10.13";
  EXPECT_EQ(Build()->python_version, "3.10.13");
  fs::remove_all(request_.folder);
  uv_.python_version = "3.9.2";
  EXPECT_EQ(GetErrorInfo(Build().status()).code, "python_missing");
}

TEST_F(UvEnvBuilderTest, NoUvIsSaid) {
  uv_program_ = "/no/such/uv";
  const Status status = Build().status();
  EXPECT_EQ(GetErrorInfo(status).code, "uv_missing");
  EXPECT_THAT(Message(status), HasSubstr("/no/such/uv"));
}

TEST_F(UvEnvBuilderTest, AnOldUvIsRefused) {
  uv_.instead["--version"] = [](const platform::ProcessSpec&) {
    return FakeRun{.lines = {"uv 0.4.1"}, .exit = {}};
  };
  const Status status = Build().status();
  EXPECT_EQ(GetErrorInfo(status).code, "uv_missing");
  EXPECT_THAT(Message(status), HasSubstr("uv 0.4.1"));
}

TEST_F(UvEnvBuilderTest, CancelStops) {
  CancelSource source;
  uv_.instead["pip sync"] = [&source](const platform::ProcessSpec&) {
    source.Cancel();
    return FakeRun{};
  };
  EXPECT_EQ(Build(source.token()).status().code(), StatusCode::kCancelled);
  EXPECT_FALSE(fs::exists(folder_ / "model/.venv"));
}

TEST_F(UvEnvBuilderTest, WithoutAGpuTorchsCpuBuildComesFirst) {
  request_.packages = {"torch"};
  StatusOr<EnvResult> result = Build();
  EXPECT_EQ(uv_.Count("pip compile"), 2);  // a short question, then the whole
  EXPECT_EQ(Last("compile").environment.at("UV_TORCH_BACKEND"), "cpu");
  EXPECT_EQ(Last("sync").environment.at("UV_TORCH_BACKEND"), "cpu");
  EXPECT_THAT(result->torch_note, HasSubstr("CPU build, since"));
  fs::remove_all(folder_ / "model/.venv");
  result = Build();  // from the lock
  EXPECT_EQ(uv_.Count("pip compile"), 0);
  EXPECT_EQ(Last("sync").environment.at("UV_TORCH_BACKEND"), "cpu");
}

TEST_F(UvEnvBuilderTest, WhereItsIndexDoesNotAnswerTheUsualBuildIsTaken) {
  request_.packages = {"torch"};
  FailOnce("pip compile", {"error: Failed to fetch: https://cpu.example.org/torch/"}, 2);
  const StatusOr<EnvResult> result = Build();
  ASSERT_TRUE(result.ok()) << Message(result.status());
  EXPECT_THAT(result->torch_note, HasSubstr("the usual build"));
  EXPECT_THAT(log_, Contains(result->torch_note));
  EXPECT_FALSE(Last("compile").environment.contains("UV_TORCH_BACKEND"));
  EXPECT_FALSE(Last("sync").environment.contains("UV_TORCH_BACKEND"));
}

TEST_F(UvEnvBuilderTest, WithAGpuOrAnotherWishTorchIsLeftToUv) {
  request_.packages = {"torch"};
  machine_.gpus = {{.name = "x", .vendor = "nvidia", .compute_capability = ""}};
  EXPECT_EQ(Build()->torch_note, "");
  EXPECT_FALSE(Last("compile").environment.contains("UV_TORCH_BACKEND"));
  machine_ = kCpuMachine;
  environment_["UV_TORCH_BACKEND"] = "cu130";
  request_.packages = {"torch", "idna"};
  ASSERT_TRUE(Build().ok());
  EXPECT_EQ(Last("compile").environment.at("UV_TORCH_BACKEND"), "cu130");
}

TEST_F(UvEnvBuilderTest, PasswordsOfIndexesStayOutOfArgumentsAndLogs) {
  environment_["UV_DEFAULT_INDEX"] = "https://user:hunter2@i.example.org/simple";
  FailOnce("pip sync", {"error: Failed to fetch: https://user:hunter2@i.example.org/simple/x"}, 2);
  const Status status = Build().status();
  EXPECT_THAT(Message(status), Not(HasSubstr("hunter2")));
  for (const std::string& line : log_) EXPECT_THAT(line, Not(HasSubstr("hunter2")));
  for (const platform::ProcessSpec& spec : launcher_.specs()) {
    for (const std::string& argument : spec.arguments) {
      EXPECT_THAT(argument, Not(HasSubstr("hunter2")));
    }
  }
}

TEST_F(UvEnvBuilderTest, SaysItsVersion) {
  const auto builder = MakeUvEnvBuilder(launcher_, machine_, {.uv = uv_program_});
  EXPECT_EQ(builder->UvVersion(), "uv 0.13.9");
  EXPECT_THAT(MakeUvEnvBuilder(launcher_, machine_, {.uv = "/no/uv"})->UvVersion(),
              HasSubstr("/no/uv"));
}

}  // namespace
}  // namespace llmd::pyenv
