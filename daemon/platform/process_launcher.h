// ProcessLauncher: starts programs. What to run is data (ProcessSpec); a fake in tests/support lets
// tests compare it. posix_spawn only: safe with threads. Thread-safe.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/file.h"
#include "base/status.h"

namespace llmd::platform {

struct ProcessSpec {
  std::filesystem::path program;
  std::vector<std::string> arguments;  // without argv[0]
  // The whole environment of the child: nothing is inherited.
  std::map<std::string, std::string> environment;
  std::filesystem::path folder;  // working folder; empty: ours
  // Descriptors for the child: (ours, number there). All others are closed; 0, 1, 2 default to
  // /dev/null.
  std::vector<std::pair<int, int>> descriptors;
  bool new_session = false;  // setsid: survives the terminal
  bool new_group = true;
};

// How a process ended.
struct ProcessExit {
  int code = 0;    // exit status; -1 when a signal ended it
  int signal = 0;  // 0 when it exited by itself
};

// A child of ours. Destroying it does not end the child; whoever wants no zombie waits for its end.
class Process {
 public:
  virtual ~Process() = default;
  virtual pid_t pid() const = 0;
  // Becomes readable when it has ended, so that a loop can wait for many; Wait then returns at
  // once.
  virtual int exit_descriptor() const = 0;
  // Blocks until it has ended; kCancelled when `cancel` fires first (the child goes on).
  virtual StatusOr<ProcessExit> Wait(const CancelToken& cancel) = 0;
  // Signals the process group (or the process when it has none of its own).
  virtual void Signal(int signal) = 0;
};

struct RunOptions {
  // Called for each line of stdout and stderr, merged, without the newline; what a line has beyond
  // 64 KiB is left out.
  std::function<void(std::string_view line)> on_line;
  std::chrono::milliseconds kill_grace{5000};  // after a cancel: SIGTERM, then SIGKILL
  // A program that has not ended by then is ended like at a cancel: kDeadlineExceeded.
  std::optional<std::chrono::milliseconds> deadline;
};

class ProcessLauncher {
 public:
  virtual ~ProcessLauncher() = default;
  virtual StatusOr<std::unique_ptr<Process>> Launch(const ProcessSpec& spec) = 0;

  // Runs to the end with output by lines; what the program left running in its group is killed. On
  // cancel the whole group is ended and kCancelled returned. `spec` has a new group or session.
  virtual StatusOr<ProcessExit> Run(const ProcessSpec& spec, const RunOptions& options,
                                    const CancelToken& cancel) = 0;
};

std::unique_ptr<ProcessLauncher> MakeProcessLauncher();

// The daemon's environment cut down to what a child may see: PATH, HOME, LANG, LC_*, TMPDIR, TZ,
// USER and proxies (for uv) when `with_network`; never tokens, PYTHON*, LD_*.
std::map<std::string, std::string> CleanEnvironment(bool with_network);

}  // namespace llmd::platform
