// UvEnvBuilder: finds uv and hands each build its own EnvBuild.
#include <unistd.h>

#include <cstdio>

#include "base/file.h"
#include "pyenv/build.h"
#include "pyenv/build_lock.h"
#include "pyenv/env_builder.h"

extern char** environ;

namespace llmd::pyenv {
namespace {

constexpr int kLeastMinor = 7;  // uv 0.7 has every flag that is used here

class UvEnvBuilder final : public EnvBuilder {
 public:
  UvEnvBuilder(platform::ProcessLauncher& launcher, const MachineFacts& machine,
               EnvBuilderOptions options)
      : launcher_(launcher), machine_(machine), options_(std::move(options)) {}

  StatusOr<EnvResult> Build(const EnvRequest& request, const LogSink& log,
                            const CancelToken& cancel) override {
    LLMD_ASSIGN_OR_RETURN(const std::filesystem::path program, FindUv(options_));
    LLMD_RETURN_IF_ERROR(MakeFolders(request.folder));
    LLMD_ASSIGN_OR_RETURN(const BuildLock lock, BuildLock::Take(request.folder, log, cancel));
    UvProgram uv = Program(program, request.folder, log, lock.descriptor());
    LLMD_ASSIGN_OR_RETURN(const std::string version, VersionOf(uv, cancel));
    LLMD_RETURN_IF_ERROR(CheckVersion(version, program));
    if (log) log(fmt::format("{} at {}", version, program.string()));
    EnvBuild build({.launcher = launcher_,
                    .uv = uv,
                    .options = options_,
                    .cpu_torch = WantsCpuTorch(machine_, options_),
                    .lock = lock.descriptor()},
                   request, log, cancel);
    return build.Run();
  }

  std::string UvVersion() override {
    const StatusOr<std::filesystem::path> program = FindUv(options_);
    if (!program.ok()) return Message(program.status());
    UvProgram uv = Program(*program, "/", nullptr);
    const StatusOr<std::string> version = VersionOf(uv, CancelToken());
    return version.ok() ? *version : Message(version.status());
  }

 private:
  UvProgram Program(const std::filesystem::path& program, const std::filesystem::path& folder,
                    LogSink log, int inherited_descriptor = -1) const {
    return UvProgram(launcher_, program,
                     UvEnvironment(options_, platform::CleanEnvironment(true), folder), folder,
                     std::move(log), inherited_descriptor);
  }

  // "uv 0.13.9"
  static StatusOr<std::string> VersionOf(UvProgram& uv, const CancelToken& cancel) {
    LLMD_ASSIGN_OR_RETURN(const std::vector<std::string> lines,
                          uv.Run({.doing = "asking uv for its version",
                                  .arguments = {"--version"},
                                  .environment = {},
                                  .quiet = true,
                                  .deadline = std::chrono::seconds(60)},
                                 cancel));
    const std::string line = lines.empty() ? "uv" : lines.back();
    return line.substr(0, line.find(' ', line.find(' ') + 1));
  }

  static Status CheckVersion(const std::string& version, const std::filesystem::path& program) {
    int major = 0;
    int minor = 0;
    const bool read = std::sscanf(version.c_str(), "uv %d.%d", &major, &minor) == 2;
    if (read && (major > 0 || minor >= kLeastMinor)) return OkStatus();
    return MakeStatus(
        StatusCode::kFailedPrecondition,
        fmt::format("{} is '{}', but uv 0.{} or newer is needed", program.string(), version,
                    kLeastMinor),
        {.code = "uv_missing", .next_step = "Upgrade it (python3 -m pip install --upgrade uv)."});
  }

  platform::ProcessLauncher& launcher_;
  const MachineFacts machine_;
  const EnvBuilderOptions options_;
};

}  // namespace

std::map<std::string, std::string> EnvBuilderOptions::ProcessEnvironment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::unique_ptr<EnvBuilder> MakeUvEnvBuilder(platform::ProcessLauncher& launcher,
                                             const MachineFacts& machine,
                                             EnvBuilderOptions options) {
  return std::make_unique<UvEnvBuilder>(launcher, machine, std::move(options));
}

}  // namespace llmd::pyenv
