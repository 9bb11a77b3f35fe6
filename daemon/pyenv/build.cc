#include "pyenv/build.h"

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "pyenv/redact.h"

namespace llmd::pyenv {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostBytes = 16u << 20;  // of requirements.txt and requirements.lock
constexpr char kNewLock[] = "lock.txt";
constexpr char kCpu[] = "cpu";
constexpr auto kSmokeLimit = std::chrono::minutes(15);

// The content of a file that may be missing.
StatusOr<std::string> ReadOrEmpty(const fs::path& path) {
  StatusOr<std::string> text = ReadFile(path, kMostBytes);
  if (text.status().code() == StatusCode::kNotFound) return std::string();
  return text;
}

// "file:///a%20b/c.whl"
std::string FileUrl(const fs::path& path) {
  constexpr std::string_view kPlain = "/-_.~+";
  std::string url = "file://";
  for (const unsigned char c : path.string()) {
    const bool plain = (std::isalnum(c) != 0 && c < 128) || kPlain.find(c) != kPlain.npos;
    url += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return url;
}

// "llm_agent" of "/x/llm_agent-0.1.0-py3-none-any.whl"
std::string WheelProject(const fs::path& wheel) {
  const std::string name = wheel.filename();
  return name.substr(0, name.find('-'));
}

bool IsTorch(const std::string& project) {
  return project == "torch" || project == "torchvision" || project == "torchaudio";
}

}  // namespace

bool WantsCpuTorch(const MachineFacts& machine, const EnvBuilderOptions& options) {
  return machine.os == "linux" && !machine.HasCuda() &&
         !options.environment.contains("UV_TORCH_BACKEND");
}

StatusOr<EnvResult> EnvBuild::Run() {
  LLMD_RETURN_IF_ERROR(MakeFolders(request_.folder));
  LLMD_RETURN_IF_ERROR(RemoveTree(folder_.work()));
  LLMD_RETURN_IF_ERROR(MakeFolders(folder_.work()));
  LLMD_RETURN_IF_ERROR(WriteRequirements());
  LLMD_ASSIGN_OR_RETURN(python_, FindPython(parts_.uv, parts_.launcher, parts_.options, cancel_));
  Say(fmt::format("Python {} at {}", python_.version, python_.program.string()));
  LLMD_RETURN_IF_ERROR(Lock());
  result_.python_version = python_.version;
  result_.environment_hash = EnvironmentHash();
  if (!result_.torch_note.empty()) Say(result_.torch_note);
  LLMD_ASSIGN_OR_RETURN(result_.reused, ReusePlaced());
  if (!result_.reused) {
    LLMD_RETURN_IF_ERROR(Make());
    LLMD_RETURN_IF_ERROR(cancel_.Check());
    LLMD_RETURN_IF_ERROR(folder_.Place(result_.environment_hash));
    Say("the environment is in place");
  }
  if (const Status removed = folder_.RemoveLeftovers(); !removed.ok()) Say(Message(removed));
  return result_;
}

Status EnvBuild::WriteRequirements() {
  const fs::path file = request_.folder / "requirements.txt";
  LLMD_ASSIGN_OR_RETURN(const std::string existing, ReadOrEmpty(file));
  LLMD_ASSIGN_OR_RETURN(requirements_, MergeRequirements(request_.packages, existing));
  wants_torch_ = std::ranges::any_of(RequestedProjects(requirements_), IsTorch);
  if (requirements_ == existing) return OkStatus();
  return WriteFileAtomically(file, requirements_, 0644);
}

Status EnvBuild::Lock() {
  const fs::path file = request_.folder / "requirements.lock";
  if (!request_.agent_wheel.empty()) {
    LLMD_ASSIGN_OR_RETURN(result_.agent_wheel_sha256, Sha256OfFile(request_.agent_wheel));
  }
  const std::string inputs = Sha256Hex(
      fmt::format("lock 1\n{}\n{}\n{}\n{}\n{}", result_.agent_wheel_sha256, python_.MinorVersion(),
                  python_.platform, parts_.options.source_builds, requirements_));
  LLMD_ASSIGN_OR_RETURN(std::string lock, ReadOrEmpty(file));
  const std::optional<LockHeader> present = ReadLockHeader(lock);
  if (present && present->inputs == inputs) {
    lock_header_ = *present;
    Say("requirements.lock fits requirements.txt");
  } else {
    // uv keeps the versions of an earlier lock where they still fit.
    if (present) LLMD_RETURN_IF_ERROR(WriteFileAtomically(folder_.work() / kNewLock, lock));
    lock_header_ = {.inputs = inputs, .torch = ""};
    LLMD_ASSIGN_OR_RETURN(const std::string pins, ResolveBestTorch());
    lock = WriteLock(lock_header_, pins);
    LLMD_RETURN_IF_ERROR(WriteFileAtomically(file, lock, 0644));
    Say(fmt::format("resolved to {} packages", RequestedProjects(lock).size()));
  }
  if (wants_torch_ && parts_.cpu_torch && result_.torch_note.empty()) {
    result_.torch_note = lock_header_.torch.empty()
                             ? "torch: the usual build, as requirements.lock names it"
                             : "torch: the CPU build, since this machine has no CUDA GPU";
  }
  result_.lock_sha256 = Sha256Hex(lock);
  return OkStatus();
}

StatusOr<std::string> EnvBuild::ResolveBestTorch() {
  if (!wants_torch_ || !parts_.cpu_torch) return Resolve({});
  std::string why = "their index does not answer";
  if (TorchIndexAnswers()) {
    StatusOr<std::string> pins = Resolve(CpuTorchEnvironment());
    if (pins.ok()) lock_header_.torch = kCpu;
    if (pins.ok() || pins.status().code() == StatusCode::kResourceExhausted) return pins;
    why = Message(pins.status());
  }
  LLMD_RETURN_IF_ERROR(cancel_.Check());
  result_.torch_note = fmt::format(
      "torch: the usual build, which is larger but computes on the CPU too, instead of the CPU "
      "build: {}",
      why);
  return Resolve({});
}

// A question about torch alone, with little patience: uv itself would try for long.
bool EnvBuild::TorchIndexAnswers() {
  const fs::path question = folder_.work() / "torch.in";
  if (!WriteFileAtomically(question, "torch\n").ok()) return false;
  Variables environment = CpuTorchEnvironment();
  environment["UV_HTTP_RETRIES"] = "0";
  environment["UV_HTTP_TIMEOUT"] = "5";
  const UvCall call{
      .doing = "asking for CPU builds of torch",
      .arguments = {"pip", "compile", "--quiet", "--no-deps", "--no-header", question,
                    "--output-file", folder_.work() / "torch.txt", "--python", python_.program},
      .environment = std::move(environment),
      .quiet = true,
      .deadline = std::chrono::seconds(20)};
  return parts_.uv.Run(call, cancel_).ok();
}

Variables EnvBuild::CpuTorchEnvironment() const {
  Variables environment = parts_.uv.environment();
  PreferCpuTorch(parts_.options, environment);
  return environment;
}

StatusOr<std::string> EnvBuild::Resolve(const Variables& environment) {
  std::vector<std::string> arguments = {"pip",
                                        "compile",
                                        "--quiet",
                                        "--generate-hashes",
                                        "--no-header",
                                        "--no-annotate",
                                        "--python",
                                        python_.program,
                                        "--output-file",
                                        folder_.work() / kNewLock,
                                        "requirements.txt"};
  if (!request_.agent_wheel.empty()) {
    // The wheel takes part, for what it requires, but is not of the result.
    const std::string project = WheelProject(request_.agent_wheel);
    const fs::path agent = folder_.work() / "agent.in";
    LLMD_RETURN_IF_ERROR(WriteFileAtomically(
        agent, fmt::format("{} @ {}\n", project, FileUrl(fs::absolute(request_.agent_wheel)))));
    arguments.insert(arguments.end(), {agent, "--no-emit-package", project});
  }
  Say("resolving the packages");
  const UvCall call{.doing = "resolving the packages",
                    .arguments = WithBuildPolicy(std::move(arguments)),
                    .environment = environment,
                    .deadline = std::nullopt};
  LLMD_RETURN_IF_ERROR(RunUv(call));
  return ReadFile(folder_.work() / kNewLock, kMostBytes);
}

// Where no index answers, what uv has in its cache may do.
Status EnvBuild::RunUv(UvCall call) {
  const Status status = parts_.uv.Run(call, cancel_).status();
  if (GetErrorInfo(status).code != "index_unreachable") return status;
  Say("no package index answers: trying with what uv has in its cache");
  call.environment["UV_OFFLINE"] = "1";
  call.quiet = true;
  const Status offline = parts_.uv.Run(call, cancel_).status();
  const bool other_reason =
      offline.ok() || offline.code() == StatusCode::kResourceExhausted || cancel_.IsCancelled();
  return other_reason ? offline : status;
}

std::vector<std::string> EnvBuild::WithBuildPolicy(std::vector<std::string> arguments) const {
  if (!parts_.options.source_builds) arguments.insert(arguments.end(), {"--only-binary", ":all:"});
  return arguments;
}

std::string EnvBuild::EnvironmentHash() const {
  return Sha256Hex(fmt::format("environment 1\n{}\n{}\n{}\n{}", result_.lock_sha256,
                               result_.agent_wheel_sha256, python_.version, python_.platform));
}

StatusOr<bool> EnvBuild::ReusePlaced() {
  const fs::path placed = folder_.placed();
  if (!EnvironmentFolder::IsWhole(placed, result_.environment_hash, request_.smoke_argv)) {
    return false;
  }
  const bool runs = Runs(placed);
  LLMD_RETURN_IF_ERROR(cancel_.Check());
  Say(runs ? "the environment is there already"
           : "the environment's Python is gone: building anew");
  return runs;
}

// Its Python may have been removed or upgraded under it.
bool EnvBuild::Runs(const fs::path& environment) {
  const StatusOr<Python> python =
      AskPython(environment / "bin" / "python", parts_.launcher, cancel_);
  return python.ok() && python->version == python_.version;
}

Status EnvBuild::Make() {
  LLMD_RETURN_IF_ERROR(folder_.RemoveLeftovers(result_.environment_hash));
  const fs::path environment = folder_.building(result_.environment_hash);
  if (EnvironmentFolder::IsWhole(environment, result_.environment_hash, request_.smoke_argv) &&
      Runs(environment)) {
    Say("an earlier build had finished the environment");
    return OkStatus();
  }
  LLMD_RETURN_IF_ERROR(cancel_.Check());
  LLMD_RETURN_IF_ERROR(RemoveTree(environment));
  Status status = Fill(environment);
  if (status.ok()) status = Smoke(environment);
  if (status.ok()) {
    status =
        EnvironmentFolder::MarkWhole(environment, result_.environment_hash, request_.smoke_argv);
  }
  if (!status.ok()) {
    if (const Status removed = RemoveTree(environment); !removed.ok()) Say(Message(removed));
  }
  return status;
}

Status EnvBuild::Fill(const fs::path& environment) {
  const std::string python = environment / "bin" / "python";
  const Variables index = lock_header_.torch == kCpu ? CpuTorchEnvironment() : Variables();
  const auto run = [&](std::string_view doing, std::vector<std::string> arguments) {
    return RunUv({.doing = std::string(doing),
                  .arguments = std::move(arguments),
                  .environment = index,
                  .deadline = std::nullopt});
  };
  Say("building the environment");
  LLMD_RETURN_IF_ERROR(
      run("creating the environment", {"venv", "--quiet", "--relocatable", "--no-project",
                                       "--python", python_.program, environment}));
  LLMD_RETURN_IF_ERROR(
      run("installing the packages",
          WithBuildPolicy({"pip", "sync", "--require-hashes", "--allow-empty-requirements",
                           "--python", python, "requirements.lock"})));
  if (!request_.agent_wheel.empty()) {
    LLMD_RETURN_IF_ERROR(
        run("installing the agent", {"pip", "install", "--no-deps", "--no-index", "--python",
                                     python, fs::absolute(request_.agent_wheel)}));
  }
  LLMD_RETURN_IF_ERROR(run("checking the packages", {"pip", "check", "--python", python}));
  return RemoveTree(environment / ".lock");  // uv's own, writable by everybody
}

Status EnvBuild::Smoke(const fs::path& environment) {
  if (request_.smoke_argv.empty()) return OkStatus();
  Say("trying the environment");
  platform::ProcessSpec spec{.program = environment / "bin" / "python",
                             .arguments = request_.smoke_argv,
                             .environment = platform::CleanEnvironment(false),
                             .folder = environment,
                             .descriptors = {}};
  if (parts_.lock >= 0) spec.descriptors.emplace_back(parts_.lock, 3);
  spec.environment.insert({{"PYTHONNOUSERSITE", "1"},
                           {"PYTHONSAFEPATH", "1"},
                           {"HF_HUB_OFFLINE", "1"},
                           {"TRANSFORMERS_OFFLINE", "1"}});
  std::string last = "it said nothing";
  const platform::RunOptions options{.on_line =
                                         [&](std::string_view line) {
                                           if (line.empty()) return;
                                           last = line.substr(0, 500);
                                           Say("check: " + Redact(line));
                                         },
                                     .deadline = kSmokeLimit};
  const StatusOr<platform::ProcessExit> exit = parts_.launcher.Run(spec, options, cancel_);
  if (exit.ok() && exit->code == 0) return OkStatus();
  LLMD_RETURN_IF_ERROR(cancel_.Check());
  return MakeStatus(
      StatusCode::kFailedPrecondition,
      fmt::format("the environment was built but does not work: {}",
                  exit.ok() ? Redact(last) : Message(exit.status())),
      {.code = "smoke_failed",
       .next_step = "See install.log in the model's logs; other versions of its packages can be "
                    "asked for in requirements.txt."});
}

}  // namespace llmd::pyenv
