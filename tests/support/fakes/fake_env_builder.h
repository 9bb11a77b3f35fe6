// FakeEnvBuilder: builds nothing, but leaves the files that the real one leaves. Thread-safe.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/mutex.h"
#include "pyenv/env_builder.h"

namespace llmd::testing {

class FakeEnvBuilder final : public pyenv::EnvBuilder {
 public:
  using Builder =
      std::function<StatusOr<pyenv::EnvResult>(const pyenv::EnvRequest&, const CancelToken&)>;

  // Answers Build; without one every build succeeds. Called without a lock held.
  void SetBuilder(Builder builder) {
    MutexLock lock(mutex_);
    builder_ = std::move(builder);
  }
  // The next Build fails so.
  void FailNext(Status status) {
    MutexLock lock(mutex_);
    next_failure_ = std::move(status);
  }

  StatusOr<pyenv::EnvResult> Build(const pyenv::EnvRequest& request, const pyenv::LogSink& log,
                                   const CancelToken& cancel) override {
    Builder builder;
    {
      MutexLock lock(mutex_);
      requests_.push_back(request);
      if (!next_failure_.ok()) return std::exchange(next_failure_, OkStatus());
      builder = builder_;
    }
    LLMD_RETURN_IF_ERROR(cancel.Check());
    if (log) log("building the environment");
    if (builder) return builder(request, cancel);
    return WriteFiles(request);
  }

  std::string UvVersion() override { return "uv 0.0.0"; }

  // What was asked for, in order.
  std::vector<pyenv::EnvRequest> requests() const {
    MutexLock lock(mutex_);
    return requests_;
  }

  // requirements.txt, requirements.lock and .venv/bin/python (a program that does nothing).
  static StatusOr<pyenv::EnvResult> WriteFiles(const pyenv::EnvRequest& request) {
    std::string lines;
    for (const std::string& package : request.packages) lines += package + "\n";
    std::filesystem::create_directories(request.folder / ".venv" / "bin");
    std::ofstream(request.folder / "requirements.txt") << lines;
    std::ofstream(request.folder / "requirements.lock") << lines;
    const std::filesystem::path python = request.folder / ".venv" / "bin" / "python";
    std::ofstream(python) << "#!/bin/sh\nexit 0\n";
    std::filesystem::permissions(python, std::filesystem::perms::owner_all);
    return pyenv::EnvResult{.lock_sha256 = Sha256Hex(lines),
                            .environment_hash = Sha256Hex("environment\n" + lines),
                            .python_version = "3.12.1",
                            .agent_wheel_sha256 = Sha256Hex("agent"),
                            .torch_note = ""};
  }

 private:
  mutable Mutex mutex_;
  Builder builder_ LLMD_GUARDED_BY(mutex_);
  Status next_failure_ LLMD_GUARDED_BY(mutex_);
  std::vector<pyenv::EnvRequest> requests_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::testing
