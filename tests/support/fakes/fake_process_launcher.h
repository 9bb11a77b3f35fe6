// FakeProcessLauncher: starts nothing, remembers what it was asked to start. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "platform/process_launcher.h"
#include "platform/unix_socket.h"

namespace llmd::testing {

// What a program that is run prints and how it ends.
struct FakeRun {
  std::vector<std::string> lines;
  platform::ProcessExit exit;
};

// A process that ends when the test says so.
class FakeProcess final : public platform::Process {
 public:
  explicit FakeProcess(pid_t pid) : pid_(pid) {
    auto ends = platform::MakePipe();
    if (ends.ok()) std::tie(read_, write_) = std::move(*ends);
  }

  pid_t pid() const override { return pid_; }
  int exit_descriptor() const override { return read_.get(); }

  StatusOr<platform::ProcessExit> Wait(const CancelToken& cancel) override {
    const CancelRegistration registration = cancel.OnCancel([this] {
      MutexLock lock(mutex_);
      changed_.NotifyAll();
    });
    MutexLock lock(mutex_);
    while (!exit_ && !cancel.IsCancelled()) changed_.Wait(mutex_);
    if (exit_) return *exit_;
    return Cancelled();
  }

  void Signal(int signal) override {
    MutexLock lock(mutex_);
    signals_.push_back(signal);
  }

  void End(platform::ProcessExit exit) {
    MutexLock lock(mutex_);
    exit_ = exit;
    write_.Close();  // the exit descriptor becomes readable
    changed_.NotifyAll();
  }

  std::vector<int> signals() const {
    MutexLock lock(mutex_);
    return signals_;
  }

 private:
  const pid_t pid_;
  FileDescriptor read_;
  FileDescriptor write_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::optional<platform::ProcessExit> exit_ LLMD_GUARDED_BY(mutex_);
  std::vector<int> signals_ LLMD_GUARDED_BY(mutex_);
};

class FakeProcessLauncher final : public platform::ProcessLauncher {
 public:
  // Answers Run; without one every program prints nothing and exits with 0. A status that is not
  // OK is returned as it is. Called without a lock held, on the thread that runs the program.
  using Runner = std::function<StatusOr<FakeRun>(const platform::ProcessSpec&, const CancelToken&)>;
  explicit FakeProcessLauncher(Runner runner = {}) : runner_(std::move(runner)) {}

  // The next Launch fails so.
  void FailNextLaunch(Status status) {
    MutexLock lock(mutex_);
    next_failure_ = std::move(status);
  }

  StatusOr<std::unique_ptr<platform::Process>> Launch(const platform::ProcessSpec& spec) override {
    MutexLock lock(mutex_);
    specs_.push_back(spec);
    if (!next_failure_.ok()) return std::exchange(next_failure_, OkStatus());
    auto process = std::make_shared<FakeProcess>(next_pid_++);
    processes_.push_back(process);
    return std::make_unique<Handle>(std::move(process));
  }

  StatusOr<platform::ProcessExit> Run(const platform::ProcessSpec& spec,
                                      const platform::RunOptions& options,
                                      const CancelToken& cancel) override {
    {
      MutexLock lock(mutex_);
      specs_.push_back(spec);
    }
    LLMD_RETURN_IF_ERROR(cancel.Check());
    if (!runner_) return platform::ProcessExit{};
    LLMD_ASSIGN_OR_RETURN(const FakeRun run, runner_(spec, cancel));
    for (const std::string& line : run.lines) {
      if (options.on_line) options.on_line(line);
    }
    LLMD_RETURN_IF_ERROR(cancel.Check());
    return run.exit;
  }

  // What was asked for, in order.
  std::vector<platform::ProcessSpec> specs() const {
    MutexLock lock(mutex_);
    return specs_;
  }
  // What Launch has started, in order.
  std::vector<std::shared_ptr<FakeProcess>> processes() const {
    MutexLock lock(mutex_);
    return processes_;
  }

 private:
  // The caller's handle: destroying it leaves the process alone.
  class Handle final : public platform::Process {
   public:
    explicit Handle(std::shared_ptr<FakeProcess> process) : process_(std::move(process)) {}
    pid_t pid() const override { return process_->pid(); }
    int exit_descriptor() const override { return process_->exit_descriptor(); }
    StatusOr<platform::ProcessExit> Wait(const CancelToken& cancel) override {
      return process_->Wait(cancel);
    }
    void Signal(int signal) override { process_->Signal(signal); }

   private:
    std::shared_ptr<FakeProcess> process_;
  };

  Runner runner_;
  mutable Mutex mutex_;
  Status next_failure_ LLMD_GUARDED_BY(mutex_);
  pid_t next_pid_ LLMD_GUARDED_BY(mutex_) = 1'000'000'000;  // beyond what the system gives out
  std::vector<platform::ProcessSpec> specs_ LLMD_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<FakeProcess>> processes_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::testing
