#include "platform/process_launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "platform/exit_descriptor.h"
#include "platform/line_splitter.h"
#include "platform/spawn_setup.h"
#include "platform/unix_socket.h"

namespace llmd::platform {
namespace {

constexpr size_t kMaxLine = 64u << 10;

// A pipe that becomes readable when the token is cancelled.
class CancelPipe {
 public:
  static StatusOr<CancelPipe> Make(const CancelToken& cancel) {
    LLMD_ASSIGN_OR_RETURN(auto ends, MakePipe());
    CancelPipe pipe;
    pipe.read_ = std::move(ends.first);
    // Held by the callback, so that a late call finds it.
    auto write = std::make_shared<FileDescriptor>(std::move(ends.second));
    pipe.write_ = write;
    pipe.registration_ = cancel.OnCancel(
        [write] { [[maybe_unused]] const ssize_t written = ::write(write->get(), "", 1); });
    return pipe;
  }
  int fd() const { return read_.get(); }

 private:
  FileDescriptor read_;
  std::shared_ptr<FileDescriptor> write_;
  CancelRegistration registration_;
};

ProcessExit ToExit(int status) {
  if (WIFSIGNALED(status)) return {.code = -1, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

class ChildProcess final : public Process {
 public:
  ChildProcess(pid_t pid, FileDescriptor exit, bool own_group)
      : pid_(pid), exit_(std::move(exit)), own_group_(own_group) {}

  ~ChildProcess() override {
    MutexLock lock(mutex_);
    if (!exit_code_) Reap();
  }

  pid_t pid() const override { return pid_; }
  int exit_descriptor() const override { return exit_.get(); }

  StatusOr<ProcessExit> Wait(const CancelToken& cancel) override {
    LLMD_ASSIGN_OR_RETURN(const CancelPipe cancelled, CancelPipe::Make(cancel));
    pollfd waits[] = {{exit_.get(), POLLIN, 0}, {cancelled.fd(), POLLIN, 0}};
    for (;;) {
      {
        MutexLock lock(mutex_);
        if (exit_code_ || Reap()) return *exit_code_;
      }
      if (waits[1].revents != 0) return Cancelled();
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) return ErrnoStatus(errno, "poll");
    }
  }

  void Signal(int signal) override {
    MutexLock lock(mutex_);
    // Once it has been waited for, the number may belong to somebody else.
    if (!exit_code_) ::kill(own_group_ ? -pid_ : pid_, signal);
  }

 private:
  // False while it runs.
  bool Reap() LLMD_REQUIRES(mutex_) {
    int status = 0;
    pid_t got = 0;
    do {
      got = ::waitpid(pid_, &status, WNOHANG);
    } while (got < 0 && errno == EINTR);
    if (got == 0) return false;
    // An error means that somebody else waited for it: how it ended cannot be told any more.
    exit_code_ = got == pid_ ? ToExit(status) : ProcessExit{.code = -1, .signal = 0};
    return true;
  }

  const pid_t pid_;
  const FileDescriptor exit_;
  const bool own_group_;
  Mutex mutex_;
  std::optional<ProcessExit> exit_code_ LLMD_GUARDED_BY(mutex_);
};

// One Run: reads the output, waits for the end, ends the group on cancel.
class Running {
 public:
  Running(std::unique_ptr<Process> process, FileDescriptor output, const RunOptions& options)
      : process_(std::move(process)), output_(std::move(output)), options_(options) {
    if (options.deadline) next_ = Steady::now() + *options.deadline;
  }

  StatusOr<ProcessExit> ToTheEnd(const CancelPipe& cancelled) {
    const int fds[] = {process_->exit_descriptor(), output_.get(), cancelled.fd()};
    pollfd waits[] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}, {fds[2], POLLIN, 0}};
    for (;;) {
      if (::poll(waits, 3, MillisecondsLeft()) < 0) {
        if (errno != EINTR) return ErrnoStatus(errno, "poll");
        continue;
      }
      if (waits[0].revents != 0) break;
      if (waits[1].revents != 0 && !ReadOutput()) waits[1].fd = -1;
      if (waits[2].revents != 0) {
        waits[2].fd = -1;
        BeginToEnd(Cancelled());
      }
      if (next_ && MillisecondsLeft() == 0) OnTime();
    }
    // Before it is waited for, so that the group's number is still its own.
    process_->Signal(SIGKILL);
    while (ReadOutput()) {
    }
    lines_.Finish([this](std::string_view line) { Emit(line); });
    LLMD_ASSIGN_OR_RETURN(const ProcessExit exit, process_->Wait(CancelToken()));
    if (!why_ended_.ok()) return why_ended_;
    return exit;
  }

 private:
  using Steady = std::chrono::steady_clock;

  int MillisecondsLeft() const {
    if (!next_) return -1;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*next_ - Steady::now());
    return static_cast<int>(std::clamp<int64_t>(left.count() + 1, 0, 1 << 30));
  }

  void BeginToEnd(Status why) {
    if (!why_ended_.ok()) return;
    why_ended_ = std::move(why);
    process_->Signal(SIGTERM);
    next_ = Steady::now() + options_.kill_grace;
  }

  void OnTime() {
    if (why_ended_.ok()) {
      return BeginToEnd(
          DeadlineExceeded("the program took longer than {:.1f} s",
                           std::chrono::duration<double>(*options_.deadline).count()));
    }
    process_->Signal(SIGKILL);
    next_.reset();
  }

  // False when there is nothing to read now, or ever again.
  bool ReadOutput() {
    char buffer[16 << 10];
    const ssize_t got = ::read(output_.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) return true;
    if (got <= 0) return false;
    lines_.Feed({buffer, static_cast<size_t>(got)}, [this](std::string_view line) { Emit(line); });
    return true;
  }

  void Emit(std::string_view line) {
    if (options_.on_line) options_.on_line(line);
  }

  std::unique_ptr<Process> process_;
  FileDescriptor output_;
  const RunOptions& options_;
  LineSplitter lines_{kMaxLine};
  Status why_ended_;                        // OK: nobody asked
  std::optional<Steady::time_point> next_;  // the deadline, then the end of the grace
};

class PosixLauncher final : public ProcessLauncher {
 public:
  StatusOr<std::unique_ptr<Process>> Launch(const ProcessSpec& spec) override {
    LLMD_ASSIGN_OR_RETURN(const pid_t pid, Spawn(spec));
    StatusOr<FileDescriptor> exit = OpenExitDescriptor(pid);
    if (!exit.ok()) {
      // Nobody could wait for it: it must not live.
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      return exit.status();
    }
    return std::make_unique<ChildProcess>(pid, std::move(*exit),
                                          spec.new_group || spec.new_session);
  }

  StatusOr<ProcessExit> Run(const ProcessSpec& spec, const RunOptions& options,
                            const CancelToken& cancel) override {
    if (!spec.new_group && !spec.new_session) {
      return InvalidArgument("a program that is run needs a group of its own");
    }
    LLMD_RETURN_IF_ERROR(cancel.Check());
    LLMD_ASSIGN_OR_RETURN(const CancelPipe cancelled, CancelPipe::Make(cancel));
    LLMD_ASSIGN_OR_RETURN(auto output, MakePipe());
    LLMD_RETURN_IF_ERROR(SetNonBlocking(output.first.get()));
    ProcessSpec with_output = spec;
    std::erase_if(with_output.descriptors,
                  [](const auto& pair) { return pair.second == 1 || pair.second == 2; });
    with_output.descriptors.emplace_back(output.second.get(), 1);
    with_output.descriptors.emplace_back(output.second.get(), 2);
    LLMD_ASSIGN_OR_RETURN(auto process, Launch(with_output));
    output.second.Close();
    return Running(std::move(process), std::move(output.first), options).ToTheEnd(cancelled);
  }
};

}  // namespace

std::unique_ptr<ProcessLauncher> MakeProcessLauncher() { return std::make_unique<PosixLauncher>(); }

}  // namespace llmd::platform
