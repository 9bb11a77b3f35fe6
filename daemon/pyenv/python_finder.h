// Finds the Python that an environment is built from.
#pragma once

#include <filesystem>
#include <string>

#include "pyenv/uv_program.h"

namespace llmd::pyenv {

struct Python {
  std::filesystem::path program;
  std::string version;   // "3.12.1"
  std::string platform;  // "cpython linux-x86_64": what its wheels depend on, beside the version

  // "3.12"
  std::string MinorVersion() const { return version.substr(0, version.rfind('.')); }
};

// The wanted version when it is there, else any from 3.10 on; downloaded by uv only when that is
// allowed. kFailedPrecondition "python_missing".
StatusOr<Python> FindPython(UvProgram& uv, platform::ProcessLauncher& launcher,
                            const EnvBuilderOptions& options, const CancelToken& cancel);

// Asks `program` what it is; kFailedPrecondition "python_missing" when it does not run.
StatusOr<Python> AskPython(const std::filesystem::path& program,
                           platform::ProcessLauncher& launcher, const CancelToken& cancel);

}  // namespace llmd::pyenv
