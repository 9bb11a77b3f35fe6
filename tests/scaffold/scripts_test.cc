// The scripts as a person runs them: from anywhere, through links, in folders with awkward names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "platform/process_launcher.h"
#include "platform/unix_socket.h"
#include "scaffold/sample_info.h"
#include "support/temp_folder.h"

namespace llmd::scaffold {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kTemplates = fs::path(LLMD_SOURCE_DIR) / "daemon/scaffold/templates";

// Says who it is, what it got, and what it was told about packages.
constexpr char kFakeProgram[] =
    "#!/bin/sh\n"
    "printf 'pid:%s\\n' \"$$\"\n"
    "printf 'safe:%s%s\\n' \"${PYTHONSAFEPATH:-}\" \"${PYTHONNOUSERSITE:-}\"\n"
    "printf 'offline:%s%s\\n' \"${HF_HUB_OFFLINE:-}\" \"${TRANSFORMERS_OFFLINE:-}\"\n"
    "for a in \"$@\"; do printf 'arg:%s\\n' \"$a\"; done\n";

struct Ran {
  int code = -1;
  pid_t pid = 0;
  std::string output;

  std::vector<std::string> Arguments() const {
    std::vector<std::string> arguments;
    for (size_t at = output.find("arg:"); at != std::string::npos;) {
      const size_t next = output.find("\narg:", at);
      const size_t end = next == std::string::npos ? output.size() - 1 : next;
      arguments.push_back(output.substr(at + 4, end - at - 4));
      at = next == std::string::npos ? next : next + 1;
    }
    return arguments;
  }
};

class ScriptsTest : public ::testing::Test {
 protected:
  // A model's folder at `place`, with a program that reports instead of Python.
  void Make(const fs::path& place) {
    model_ = place;
    fs::create_directories(model_ / ".venv/bin");
    ASSERT_TRUE(WriteModelFolder(model_, kTemplates, testing::SampleInfo(),
                                 {"serve_tensorrt.sh", "optimize_model.sh"})
                    .ok());
    WriteProgram(model_ / ".venv/bin/python", kFakeProgram);
  }
  static void WriteProgram(const fs::path& path, std::string_view content) {
    fs::create_directories(path.parent_path());
    ASSERT_TRUE(WriteFileAtomically(path, content, 0755).ok());
  }

  Ran Run(const fs::path& program, std::vector<std::string> arguments,
          const fs::path& working_folder,
          const std::map<std::string, std::string>& environment = {}) {
    auto ends = platform::MakePipe();
    platform::ProcessSpec spec{.program = program,
                               .arguments = std::move(arguments),
                               .environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}},
                               .folder = working_folder,
                               .descriptors = {{ends->second.get(), 1}, {ends->second.get(), 2}}};
    for (const auto& [name, value] : environment) spec.environment[name] = value;
    Ran ran;
    const auto process = launcher_->Launch(spec);
    ends->second.Close();
    EXPECT_TRUE(process.ok()) << Message(process.status());
    if (!process.ok()) return ran;
    ran.pid = (*process)->pid();
    char buffer[4096];
    ssize_t count = 0;
    while ((count = ::read(ends->first.get(), buffer, sizeof(buffer))) > 0) {
      ran.output.append(buffer, static_cast<size_t>(count));
    }
    ran.code = (*process)->Wait({})->code;
    return ran;
  }
  void ExpectServes(const Ran& ran, const std::vector<std::string>& more = {}) {
    EXPECT_EQ(ran.code, 0) << ran.output;
    std::vector<std::string> expected = {"-m", "llm_agent", "serve", "--folder", model_.string()};
    expected.insert(expected.end(), more.begin(), more.end());
    EXPECT_EQ(ran.Arguments(), expected) << ran.output;
    // The same process all the way: what starts start.sh has the server itself.
    EXPECT_THAT(ran.output, HasSubstr(fmt::format("pid:{}\n", ran.pid)));
  }

  testing::TempFolder temp_;
  fs::path model_;
  std::unique_ptr<platform::ProcessLauncher> launcher_ = platform::MakeProcessLauncher();
};

TEST_F(ScriptsTest, EveryShellScriptIsSound) {
  int scripts = 0;
  for (const auto& entry : fs::directory_iterator(kTemplates)) {
    if (entry.path().extension() != ".sh") continue;
    ++scripts;
    for (const char* shell : {"/bin/bash", "/bin/sh"}) {
      const Ran ran = Run(shell, {"-n", entry.path()}, "/");
      EXPECT_EQ(ran.code, 0) << entry.path() << ran.output;
    }
  }
  EXPECT_EQ(scripts, 6);
}

TEST_F(ScriptsTest, StartWorksInFoldersWithAwkwardNames) {
  Make(temp_ / "original");
  for (const char* name : {"plain", "with space", "it's", "a \"quote\"", "$(touch pwned)",
                           "`touch pwned`", "semi;colon", "new\nline", "-rf",
                           "\xC3\xA4\xF0\x9F\x98\x80", "back\\slash", "*", "#", "~"}) {
    model_ = temp_ / name;
    fs::copy(temp_ / "original", model_, fs::copy_options::recursive);
    ExpectServes(Run(model_ / "start.sh", {"--port", "8123"}, "/"), {"--port", "8123"});
    ExpectServes(Run("/bin/sh", {fs::path("./") / name / "start.sh"}, temp_.path()));
    EXPECT_FALSE(fs::exists(temp_ / "pwned"));
  }
}

TEST_F(ScriptsTest, ArgumentsComeThroughAsTheyAre) {
  Make(temp_ / "m");
  const std::vector<std::string> arguments = {"", "a b", "'", "$(x)", "*", "--", "a\nb", "\\"};
  ExpectServes(Run(model_ / "start.sh", arguments, "/"), arguments);
}

TEST_F(ScriptsTest, AreFoundFromAnyWorkingFolder) {
  Make(temp_ / "m");
  ExpectServes(Run(model_ / "start.sh", {}, "/"));
  ExpectServes(Run("/bin/sh", {"start.sh"}, model_));
  ExpectServes(Run("/bin/sh", {"m/start.sh"}, temp_.path(), {{"CDPATH", "/tmp:/"}}));
  ExpectServes(Run("/bin/sh", {"../start.sh"}, model_ / "scripts"));
  ExpectServes(Run("/bin/sh", {"serve_api.sh"}, model_ / "scripts"));
  ExpectServes(Run("/bin/bash", {"scripts/serve_ui.sh", "--port", "1"}, model_),
               {"--ui", "--port", "1"});
}

TEST_F(ScriptsTest, AreFoundThroughLinks) {
  Make(temp_ / "m");
  fs::create_directories(temp_ / "bin/deep");
  fs::create_symlink(model_ / "start.sh", temp_ / "bin/absolute");
  fs::create_symlink("../m/start.sh", temp_ / "bin/relative");
  fs::create_symlink("../absolute", temp_ / "bin/deep/twice");
  fs::create_directory_symlink(model_, temp_ / "folder");
  for (const char* link : {"bin/absolute", "bin/relative", "bin/deep/twice", "folder/start.sh",
                           "folder/scripts/serve_api.sh"}) {
    ExpectServes(Run(temp_ / link, {}, "/"));
  }
  fs::create_symlink(model_ / "scripts/serve_ui.sh", temp_ / "ui");
  ExpectServes(Run("/bin/sh", {"ui"}, temp_.path()), {"--ui"});
}

TEST_F(ScriptsTest, AFolderThatWasMovedOrCopiedGoesOnWorking) {
  Make(temp_ / "m");
  fs::copy(model_, temp_ / "copy", fs::copy_options::recursive);
  fs::rename(model_, temp_ / "moved");
  for (const char* place : {"copy", "moved"}) {
    model_ = temp_ / place;
    ExpectServes(Run(model_ / "start.sh", {}, "/"));
  }
}

TEST_F(ScriptsTest, TheServerSeesOnlyItsEnvironmentAndNoNetwork) {
  Make(temp_ / "m");
  const Ran usual = Run(model_ / "start.sh", {}, "/");
  EXPECT_THAT(usual.output, HasSubstr("safe:11\noffline:11\n"));
  const Ran asked = Run(model_ / "start.sh", {}, "/", {{"HF_HUB_OFFLINE", "0"}});
  EXPECT_THAT(asked.output, HasSubstr("offline:01\n"));
}

TEST_F(ScriptsTest, AMissingEnvironmentIsExplained) {
  Make(temp_ / "m");
  fs::remove_all(model_ / ".venv");
  for (const char* script : {"start.sh", "scripts/serve_ui.sh", "scripts/infer.py"}) {
    const Ran ran = Run(model_ / script, {"x"}, "/");
    EXPECT_EQ(ran.code, 1) << script;
    EXPECT_THAT(ran.output, HasSubstr((model_ / ".venv/bin/python").string())) << script;
    EXPECT_THAT(ran.output, HasSubstr("install the model again")) << script;
  }
}

TEST_F(ScriptsTest, InferAsksTheAgent) {
  Make(temp_ / "it's a \"model\"");
  fs::create_symlink(model_ / "scripts/infer.py", temp_ / "ask");
  for (const fs::path& program : {model_ / "scripts/infer.py", temp_ / "ask"}) {
    const Ran ran = Run(program, {"what's $HOME?", "--json"}, "/");
    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(ran.Arguments(), ElementsAre("-m", "llm_agent", "infer", "--folder",
                                             model_.string(), "what's $HOME?", "--json"));
    EXPECT_THAT(ran.output, HasSubstr("safe:11\noffline:11\n"));
  }
}

TEST_F(ScriptsTest, TrainSaysThatItCannot) {
  Make(temp_ / "m");
  const Ran ran = Run(model_ / "train.sh", {}, "/");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.output, HasSubstr("cannot train"));
}

TEST_F(ScriptsTest, TensorRtNamesWhatIsMissing) {
  Make(temp_ / "m");
  const fs::path script = model_ / "scripts/serve_tensorrt.sh";
  const fs::path tools = temp_ / "tools";
  fs::create_directories(tools);
  fs::create_symlink("/bin/grep", tools / "grep");
  const std::map<std::string, std::string> path = {{"PATH", tools}};
  EXPECT_THAT(Run(script, {}, "/", path).output, HasSubstr("nvidia-smi is not in PATH"));
  WriteProgram(tools / "nvidia-smi", "#!/bin/sh\necho 'No devices were found'\n");
  EXPECT_THAT(Run(script, {}, "/", path).output, HasSubstr("names no GPU"));
  WriteProgram(tools / "nvidia-smi", "#!/bin/sh\necho 'GPU 0: Some card'\n");
  const Ran missing = Run(script, {}, "/", path);
  EXPECT_THAT(missing.output, HasSubstr("trtllm-serve is not in PATH"));
  EXPECT_EQ(missing.code, 1);
  WriteProgram(tools / "trtllm-serve", kFakeProgram);
  EXPECT_THAT(Run(script, {"--tp_size", "2"}, "/", path).Arguments(),
              ElementsAre((model_ / "model").string(), "--backend", "pytorch", "--host",
                          "127.0.0.1", "--port", "8000", "--tp_size", "2"));
  fs::create_directories(model_ / "model-fp8");
  EXPECT_EQ(Run(script, {}, "/", path).Arguments()[0], (model_ / "model-fp8").string());
}

TEST_F(ScriptsTest, OptimizeNamesWhatIsMissing) {
  Make(temp_ / "m");
  const fs::path script = model_ / "scripts/optimize_model.sh";
  const fs::path tools = temp_ / "tools";
  fs::create_directories(tools);
  const fs::path samples = temp_.Write("my samples.txt", "hello\n");
  std::map<std::string, std::string> environment = {{"PATH", tools}};
  EXPECT_THAT(Run(script, {}, "/", environment).output, HasSubstr("sample texts is wanted"));
  EXPECT_THAT(Run(script, {"/no/such"}, "/", environment).output, HasSubstr("cannot read"));
  EXPECT_THAT(Run(script, {samples}, "/", environment).output,
              HasSubstr("nvidia-smi is not in PATH"));
  WriteProgram(tools / "nvidia-smi", "#!/bin/sh\n");
  WriteProgram(tools / "python3", "#!/bin/sh\nexit 1\n");
  const Ran missing = Run(script, {samples}, "/", environment);
  EXPECT_THAT(missing.output, HasSubstr("python3 has no ModelOpt"));
  EXPECT_EQ(missing.code, 1);
  environment["MODELOPT_PYTHON"] = temp_ / "other python";
  WriteProgram(temp_ / "other python", kFakeProgram);
  EXPECT_THAT(Run(script, {samples}, "/", environment).Arguments(),
              ElementsAre("-", (model_ / "model").string(), (model_ / "model-fp8").string(),
                          samples.string()));
}

}  // namespace
}  // namespace llmd::scaffold
