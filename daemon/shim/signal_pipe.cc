#include "shim/signal_pipe.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "platform/unix_socket.h"

namespace llmd::shim {
namespace {

int g_write_end = -1;

void OnSignal(int signal) {
  const int saved = errno;
  const char byte = signal == SIGTERM ? 'T' : 'C';
  // A full pipe holds enough bytes to wake the loop.
  [[maybe_unused]] const ssize_t written = ::write(g_write_end, &byte, 1);
  errno = saved;
}

void Set(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

Status SignalPipe::Install() {
  LLMD_ASSIGN_OR_RETURN(auto ends, platform::MakePipe());
  LLMD_RETURN_IF_ERROR(platform::SetNonBlocking(ends.first.get()));
  LLMD_RETURN_IF_ERROR(platform::SetNonBlocking(ends.second.get()));
  read_ = std::move(ends.first);
  write_ = std::move(ends.second);
  g_write_end = write_.get();
  for (const int signal : {SIGHUP, SIGINT, SIGPIPE, SIGTTOU, SIGTTIN, SIGTSTP}) {
    Set(signal, SIG_IGN);
  }
  Set(SIGCHLD, OnSignal);
  Set(SIGTERM, OnSignal);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  return OkStatus();
}

SignalPipe::Seen SignalPipe::Take() {
  Seen seen;
  char bytes[256];
  ssize_t got = 0;
  while ((got = ::read(read_.get(), bytes, sizeof(bytes))) > 0) {
    for (ssize_t i = 0; i < got; ++i) {
      (bytes[i] == 'T' ? seen.terminate : seen.child) = true;
    }
  }
  return seen;
}

void SignalPipe::ResetInChild() {
  for (const int signal : {SIGHUP, SIGINT, SIGPIPE, SIGTTOU, SIGTTIN, SIGTSTP, SIGCHLD, SIGTERM}) {
    ::signal(signal, SIG_DFL);
  }
}

}  // namespace llmd::shim
