// SignalPipe: SIGCHLD and SIGTERM as a readable descriptor; SIGHUP, SIGINT and SIGPIPE ignored.
// One object a process; not thread-safe.
#pragma once

#include "base/file.h"

namespace llmd::shim {

class SignalPipe {
 public:
  Status Install();
  int fd() const { return read_.get(); }

  struct Seen {
    bool child = false;      // a child has ended
    bool terminate = false;  // SIGTERM has come
  };
  // What has come since the last call.
  Seen Take();

  // In a child, between fork and exec: all signals as they are by default, none blocked.
  static void ResetInChild();

 private:
  FileDescriptor read_;
  FileDescriptor write_;
};

}  // namespace llmd::shim
