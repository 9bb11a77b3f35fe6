#include "lib/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "base/mutex.h"
#include "base/thread.h"

namespace llmd::client {

struct Interrupt::State {
  Mutex mutex;
  bool seen LLMD_GUARDED_BY(mutex) = false;
  bool ending LLMD_GUARDED_BY(mutex) = false;
  std::function<void()> callback LLMD_GUARDED_BY(mutex);
  sigset_t signals{};
  JoiningThread thread;

  void Listen() {
    for (;;) {
      int signal = 0;
      if (sigwait(&signals, &signal) != 0) return;
      MutexLock lock(mutex);
      if (ending) return;
      // Nobody waits for a call that could be cancelled: end at once, as without a handler.
      if (seen || !callback) ::_exit(signal == SIGINT ? 130 : 143);
      seen = true;
      callback();
    }
  }
};

Interrupt::Interrupt() : state_(std::make_unique<State>()) {
  sigemptyset(&state_->signals);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&state_->signals, signal);
  pthread_sigmask(SIG_BLOCK, &state_->signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  state_->thread = JoiningThread("interrupt", [state = state_.get()] { state->Listen(); });
}

Interrupt::~Interrupt() {
  {
    MutexLock lock(state_->mutex);
    state_->ending = true;
  }
  ::kill(::getpid(), SIGUSR1);  // wakes sigwait
  state_->thread.Join();
}

bool Interrupt::Seen() const {
  MutexLock lock(state_->mutex);
  return state_->seen;
}

void Interrupt::Reset() {
  MutexLock lock(state_->mutex);
  state_->seen = false;
}

Interrupt::Scope::Scope(Interrupt& interrupt, std::function<void()> callback)
    : interrupt_(interrupt) {
  MutexLock lock(interrupt_.state_->mutex);
  interrupt_.state_->callback = std::move(callback);
}

Interrupt::Scope::~Scope() {
  MutexLock lock(interrupt_.state_->mutex);
  interrupt_.state_->callback = nullptr;
}

}  // namespace llmd::client
