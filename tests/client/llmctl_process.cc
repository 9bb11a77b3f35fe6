#include "client/llmctl_process.h"

#include <fcntl.h>
#include <poll.h>
#if defined(__APPLE__)
#include <util.h>
#else
#include <pty.h>
#endif
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace llmd::testing {
namespace {

constexpr char kProgram[] = LLMD_BINARY_DIR "/bin/llmctl";

// argv or environ: pointers into `words`, which must outlive them.
std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const Variables& variables) {
  const char* path = std::getenv("PATH");
  std::vector<std::string> entries = {std::string("PATH=") + (path == nullptr ? "" : path),
                                      "HOME=/nonexistent", "TERM=xterm"};
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  return entries;
}

int ExitOf(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Reads both to their ends.
void Drain(int out, int err, Ran& ran) {
  pollfd ends[] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  std::string* texts[] = {&ran.out, &ran.err};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (::poll(ends, 2, -1) < 0) continue;
    for (int i = 0; i < 2; ++i) {
      char buffer[4096];
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      const ssize_t got = ::read(ends[i].fd, buffer, sizeof(buffer));
      if (got <= 0) {
        ends[i].fd = -1;
      } else {
        texts[i]->append(buffer, static_cast<size_t>(got));
      }
    }
  }
}

}  // namespace

Ran RunLlmctl(const std::vector<std::string>& words, const Variables& variables,
              const std::string& input, std::string program) {
  if (program.empty()) program = kProgram;
  std::vector<std::string> arguments = {program};
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::vector<std::string> entries = Environment(variables);
  int in[2], out[2], err[2];
  Ran ran;
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) {
    return ran;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.c_str(), &actions, nullptr,
                                   Pointers(arguments).data(), Pointers(entries).data());
  posix_spawn_file_actions_destroy(&actions);
  for (const int fd : {in[0], out[1], err[1]}) ::close(fd);
  WriteAll(in[1], input).IgnoreError();
  ::close(in[1]);
  Drain(out[0], err[0], ran);
  ::close(out[0]);
  ::close(err[0]);
  if (failed == 0) ran.exit = ExitOf(pid);
  return ran;
}

TerminalSession::TerminalSession(const std::vector<std::string>& words,
                                 const Variables& variables) {
  std::vector<std::string> arguments = {kProgram};
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::vector<std::string> entries = Environment(variables);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(entries);
  winsize size{.ws_row = 24, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  pid_ = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (pid_ == 0) {
    ::execve(kProgram, argv.data(), envp.data());
    ::_exit(127);
  }
  terminal_ = FileDescriptor(terminal);
}

TerminalSession::~TerminalSession() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ExitOf(pid_);
}

bool TerminalSession::ReadSome() {
  char buffer[4096];
  const ssize_t got = ::read(terminal_.get(), buffer, sizeof(buffer));
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;  // EIO: the other end is closed
  shown_.append(buffer, static_cast<size_t>(got));
  return true;
}

bool TerminalSession::WaitFor(const std::string& text) {
  while (shown_.find(text) == std::string::npos) {
    if (!ReadSome()) return false;
  }
  return true;
}

void TerminalSession::Type(const std::string& keys) {
  WriteAll(terminal_.get(), keys).IgnoreError();
}

int TerminalSession::Finish() {
  while (ReadSome()) continue;
  return ExitOf(std::exchange(pid_, -1));
}

}  // namespace llmd::testing
