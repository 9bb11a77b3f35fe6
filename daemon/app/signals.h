// Signals: the first asks, the second ends.
#pragma once

#include <functional>

#include "base/thread.h"

namespace llmd::app {

// Blocks SIGINT, SIGTERM, SIGHUP and ignores SIGPIPE, in this thread and all that it starts. Call
// first thing in main.
void BlockSignals();

// A thread that waits for them. The first SIGINT or SIGTERM calls `ask`; the second ends the
// process at once, as one that hangs must be. SIGHUP (the terminal went away) changes nothing.
class SignalThread {
 public:
  explicit SignalThread(std::function<void()> ask);
  ~SignalThread();

 private:
  void Wait();

  const std::function<void()> ask_;
  JoiningThread thread_;
};

}  // namespace llmd::app
