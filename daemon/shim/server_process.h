// ServerProcess: the model server as the shim's child, in a process group of its own, and all that
// descends from it. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

#include "base/file.h"
#include "platform/shim_protocol.h"

namespace llmd::shim {

class ServerProcess {
 public:
  // Starts spec.program; `listener` is passed on where it is valid. The server is killed by the
  // system when this process is (on Linux).
  Status Start(const platform::ShimSpec& spec, const FileDescriptor& listener);

  platform::ProcessIdentity identity() const { return identity_; }
  // The server's stdout and stderr; its ready descriptor. Non-blocking.
  const FileDescriptor& output() const { return output_; }
  const FileDescriptor& ready() const { return ready_; }
  void CloseReady() { ready_.Close(); }
  void CloseOutput() { output_.Close(); }

  // Signals the server's process group.
  void Signal(int signal);
  // SIGKILL for the group and everything that descends from this process or bears the mark.
  void KillAll();

  // Waits for children that have ended, without blocking; true when the server is among them. Its
  // group is killed before its number is free to be used again.
  bool Reap();
  bool ended() const { return wait_status_.has_value(); }
  int wait_status() const { return wait_status_.value_or(0); }

  // True while something that descends from the server still lives.
  bool HasDescendants() const;

 private:
  std::vector<pid_t> Others() const;

  pid_t pid_ = 0;
  platform::ProcessIdentity identity_;
  std::string mark_;
  FileDescriptor output_;
  FileDescriptor ready_;
  std::optional<int> wait_status_;
};

}  // namespace llmd::shim
