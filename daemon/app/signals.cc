#include "app/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

namespace llmd::app {
namespace {

// Tells the waiting thread to end.
constexpr int kEnd = SIGUSR2;

sigset_t Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, kEnd}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void BlockSignals() {
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

SignalThread::SignalThread(std::function<void()> ask) : ask_(std::move(ask)) {
  thread_ = JoiningThread("signals", [this] { Wait(); });
}

SignalThread::~SignalThread() {
  ::kill(::getpid(), kEnd);
  thread_.Join();
}

void SignalThread::Wait() {
  const sigset_t set = Signals();
  bool asked = false;
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (signal == kEnd) return;
    if (signal == SIGHUP) continue;
    if (asked) ::_exit(128 + signal);
    asked = true;
    ask_();
  }
}

}  // namespace llmd::app
