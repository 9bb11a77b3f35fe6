// UvProgram: runs uv in one folder and turns its failures into errors. Not thread-safe.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pyenv/env_builder.h"
#include "pyenv/uv_environment.h"

namespace llmd::pyenv {

// The uv to use: options.uv, LLMD_UV, share/llmd/tools/bin, PATH. kFailedPrecondition "uv_missing".
StatusOr<std::filesystem::path> FindUv(const EnvBuilderOptions& options);

struct UvCall {
  std::string doing;  // "resolving the packages": names the step in errors
  std::vector<std::string> arguments;
  Variables environment;  // on top of the program's own
  bool quiet = false;     // its output is not for the log
  std::optional<std::chrono::milliseconds> deadline;
};

class UvProgram {
 public:
  UvProgram(platform::ProcessLauncher& launcher, std::filesystem::path program,
            Variables environment, std::filesystem::path folder, LogSink log,
            int inherited_descriptor = -1)
      : launcher_(launcher),
        program_(std::move(program)),
        environment_(std::move(environment)),
        folder_(std::move(folder)),
        log_(std::move(log)),
        inherited_descriptor_(inherited_descriptor) {}

  // Its output by lines, when it exits with 0; else the error that its output means.
  StatusOr<std::vector<std::string>> Run(const UvCall& call, const CancelToken& cancel);

  const Variables& environment() const { return environment_; }

 private:
  platform::ProcessLauncher& launcher_;
  std::filesystem::path program_;
  Variables environment_;
  std::filesystem::path folder_;
  LogSink log_;
  int inherited_descriptor_;  // kept open by uv as long as it runs; -1: none
};

}  // namespace llmd::pyenv
