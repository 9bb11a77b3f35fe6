// EnvBuilder: a model's own Python environment, built with uv. Built beside and put in place by
// rename; content-addressed, never changed in place. Thread-safe: each build has its own folder.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "domain/machine.h"
#include "platform/process_launcher.h"

namespace llmd::pyenv {

struct EnvRequest {
  std::filesystem::path folder;         // the model's folder (or its staging twin)
  std::vector<std::string> packages;    // PEP 508; written to requirements.txt with the user's own
  std::filesystem::path agent_wheel;    // installed after the lock, with --no-deps
  std::vector<std::string> smoke_argv;  // after the environment's python; must exit 0
};

struct EnvResult {
  std::string lock_sha256;
  std::string environment_hash;  // lock, agent wheel, Python and platform
  std::string python_version;
  std::string agent_wheel_sha256;
  bool reused = false;     // .venv was there with the same hash
  std::string torch_note;  // which build of torch was taken and why; may be empty
};

// Lines for install.log and the job's log; called on the building thread.
using LogSink = std::function<void(std::string_view line)>;

class EnvBuilder {
 public:
  virtual ~EnvBuilder() = default;
  // Leaves requirements.txt, requirements.lock and .venv in request.folder; what a build that was
  // cut off left there is used or removed. Errors: kFailedPrecondition "uv_missing" |
  // "python_missing" | "unsatisfiable" | "smoke_failed", kInvalidArgument "bad_requirement",
  // kUnavailable "index_unreachable", kDataLoss "package_corrupt", kResourceExhausted "disk_full",
  // kInternal "uv_failed", kCancelled.
  virtual StatusOr<EnvResult> Build(const EnvRequest& request, const LogSink& log,
                                    const CancelToken& cancel) = 0;
  // "uv 0.13.9", or why it cannot be run.
  virtual std::string UvVersion() = 0;
};

struct EnvBuilderOptions {
  std::string uv;                   // path; empty: LLMD_UV, share/llmd/tools/bin, PATH
  std::filesystem::path cache_dir;  // $LLMD_HOME/cache
  std::string python = "3.12";      // wanted version; a system Python >= 3.10 is taken as well
  std::string index_url;            // empty: uv's own default
  std::vector<std::string> extra_index_urls;
  // Tried first for torch on Linux without a CUDA GPU; empty: the one that uv knows.
  std::string torch_cpu_index;
  bool python_downloads = false;  // may uv download a Python where none is found
  bool source_builds = false;     // may packages without a wheel be built, which runs their code
  // Where uv's own variables (UV_*, PIP_INDEX_URL, ...) are read from.
  std::map<std::string, std::string> environment = ProcessEnvironment();

  static std::map<std::string, std::string> ProcessEnvironment();
};

std::unique_ptr<EnvBuilder> MakeUvEnvBuilder(platform::ProcessLauncher& launcher,
                                             const MachineFacts& machine,
                                             EnvBuilderOptions options);

}  // namespace llmd::pyenv
