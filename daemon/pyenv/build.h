// EnvBuild: one build of one environment, step by step. Each step can be repeated: a build that was
// cut off anywhere is finished by the next. Lives on the stack of EnvBuilder::Build; not
// thread-safe.
#pragma once

#include <string>

#include "pyenv/environment_folder.h"
#include "pyenv/python_finder.h"
#include "pyenv/requirements.h"
#include "pyenv/uv_program.h"

namespace llmd::pyenv {

// A Linux machine for which the CPU build of torch is the right one.
bool WantsCpuTorch(const MachineFacts& machine, const EnvBuilderOptions& options);

struct BuildParts {
  platform::ProcessLauncher& launcher;
  UvProgram& uv;
  const EnvBuilderOptions& options;
  bool cpu_torch = false;
  int lock = -1;  // the BuildLock's, for programs that are not run through `uv`
};

class EnvBuild {
 public:
  EnvBuild(const BuildParts& parts, const EnvRequest& request, const LogSink& log,
           const CancelToken& cancel)
      : parts_(parts), request_(request), log_(log), cancel_(cancel), folder_(request.folder) {}

  StatusOr<EnvResult> Run();

 private:
  // The steps, in order.
  Status WriteRequirements();  // what is wanted
  Status Lock();               // what that comes to
  StatusOr<bool> ReusePlaced();
  Status Make();  // a whole .venv-<hash>

  StatusOr<std::string> ResolveBestTorch();
  StatusOr<std::string> Resolve(const Variables& environment);
  Status RunUv(UvCall call);
  Variables CpuTorchEnvironment() const;
  bool TorchIndexAnswers();
  std::string EnvironmentHash() const;
  bool Runs(const std::filesystem::path& environment);
  Status Fill(const std::filesystem::path& environment);
  Status Smoke(const std::filesystem::path& environment);

  std::vector<std::string> WithBuildPolicy(std::vector<std::string> arguments) const;
  void Say(std::string_view line) const {
    if (log_) log_(line);
  }

  BuildParts parts_;
  const EnvRequest& request_;
  const LogSink& log_;
  const CancelToken& cancel_;
  EnvironmentFolder folder_;
  Python python_;
  std::string requirements_;
  LockHeader lock_header_;
  bool wants_torch_ = false;
  EnvResult result_;
};

}  // namespace llmd::pyenv
