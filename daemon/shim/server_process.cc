#include "shim/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#if defined(__linux__)
#include <linux/close_range.h>
#include <sys/prctl.h>
#endif

#include "platform/process_table.h"
#include "platform/unix_socket.h"
#include "shim/signal_pipe.h"

namespace llmd::shim {
namespace {

using platform::ShimSpec;

// Above the descriptors that a server gets.
constexpr int kHigh = 10;
// A model server goes before the programs that look after it when memory runs out.
constexpr char kOomScore[] = "300";

std::vector<std::string> EnvironmentOf(const ShimSpec& spec, bool listens) {
  std::map<std::string, std::string> variables = spec.environment;
  variables.erase(platform::kListenFdVariable);
  variables.erase(platform::kSocketVariable);
  if (listens) {
    variables[platform::kListenFdVariable] = std::to_string(platform::kListenFd);
  } else {
    variables[platform::kSocketVariable] = spec.api_socket.string();
  }
  variables[platform::kReadyFdVariable] = std::to_string(platform::kReadyFd);
  variables[platform::kMarkVariable] = platform::MarkFor(spec.token);
  std::vector<std::string> texts;
  for (const auto& [name, value] : variables) texts.push_back(name + "=" + value);
  return texts;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// All that the child needs, made before the fork.
struct Child {
  const char* program;
  const char* folder;
  char** arguments;
  char** environment;
  int output;
  int ready;
  int listener;  // -1: none
  pid_t parent;
};

[[noreturn]] void Fail(const char* what, const char* path) {
  const int error = errno;
  const char* parts[] = {"llmd-shim: cannot ", what, " ", path, ": ", std::strerror(error), "\n"};
  for (const char* part : parts) {
    [[maybe_unused]] const ssize_t written = ::write(2, part, std::strlen(part));
  }
  ::_exit(error == ENOENT ? 127 : 126);
}

void DieWithParent([[maybe_unused]] pid_t parent) {
#if defined(__linux__)
  // The parent has one thread, so its end is the end of the process.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(125);
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) {
    [[maybe_unused]] const ssize_t written = ::write(score, kOomScore, sizeof(kOomScore) - 1);
    ::close(score);
  }
#endif
}

void CloseFrom(int first) {
#if defined(__linux__)
  if (::close_range(static_cast<unsigned>(first), ~0U, 0) == 0) return;
#endif
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (int fd = first; fd < (most > 0 ? most : 1024); ++fd) ::close(fd);
}

[[noreturn]] void RunChild(const Child& child) {
  ::setpgid(0, 0);
  SignalPipe::ResetInChild();
  // Moved up first, so that no dup2 closes what a later one needs.
  const int null = ::fcntl(::open("/dev/null", O_RDONLY), F_DUPFD, kHigh);
  const int output = ::fcntl(child.output, F_DUPFD, kHigh);
  const int ready = ::fcntl(child.ready, F_DUPFD, kHigh);
  const int listener = child.listener < 0 ? -1 : ::fcntl(child.listener, F_DUPFD, kHigh);
  ::dup2(null, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::dup2(ready, platform::kReadyFd);
  if (listener >= 0) ::dup2(listener, platform::kListenFd);
  CloseFrom(listener >= 0 ? platform::kListenFd + 1 : platform::kReadyFd + 1);
  DieWithParent(child.parent);
  if (::chdir(child.folder) != 0) Fail("enter", child.folder);
  ::execve(child.program, child.arguments, child.environment);
  Fail("start", child.program);
}

}  // namespace

Status ServerProcess::Start(const ShimSpec& spec, const FileDescriptor& listener) {
  LLMD_ASSIGN_OR_RETURN(auto output, platform::MakePipe());
  LLMD_ASSIGN_OR_RETURN(auto ready, platform::MakePipe());
  LLMD_RETURN_IF_ERROR(platform::SetNonBlocking(output.first.get()));
  LLMD_RETURN_IF_ERROR(platform::SetNonBlocking(ready.first.get()));
  std::vector<std::string> arguments{spec.program.string()};
  arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<std::string> environment = EnvironmentOf(spec, listener.valid());
  std::vector<char*> argument_pointers = Pointers(arguments);
  std::vector<char*> environment_pointers = Pointers(environment);
  const Child child{.program = spec.program.c_str(),
                    .folder = spec.folder.c_str(),
                    .arguments = argument_pointers.data(),
                    .environment = environment_pointers.data(),
                    .output = output.second.get(),
                    .ready = ready.second.get(),
                    .listener = listener.get(),
                    .parent = ::getpid()};
  mark_ = platform::MarkAssignment(spec.token);
  pid_ = ::fork();
  if (pid_ < 0) return ErrnoStatus(errno, "cannot fork");
  if (pid_ == 0) RunChild(child);
  ::setpgid(pid_, pid_);  // by both, so that neither runs before it is so
  output_ = std::move(output.first);
  ready_ = std::move(ready.first);
  const auto facts = platform::FindProcess(pid_);
  identity_ = {.pid = pid_, .start_ticks = facts ? facts->start_ticks : 0};
  return OkStatus();
}

void ServerProcess::Signal(int signal) {
  if (pid_ > 1 && !ended()) ::kill(-pid_, signal);
}

std::vector<pid_t> ServerProcess::Others() const {
  std::vector<pid_t> others;
  for (const auto& process : platform::DescendantsOf(::getpid(), platform::ListProcesses())) {
    if (process.state != 'Z') others.push_back(process.pid);
  }
#if !defined(__linux__)
  // Nobody adopts what is left alone there: only its mark tells whose it is.
  for (const pid_t pid : platform::ProcessesWithVariable(mark_)) others.push_back(pid);
#endif
  return others;
}

bool ServerProcess::HasDescendants() const {
#if defined(__linux__)
  // Orphans come to this process, so whoever descends from it descends from a child of it.
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
#else
  return !Others().empty();
#endif
}

void ServerProcess::KillAll() {
  Signal(SIGKILL);
  for (const pid_t pid : Others()) ::kill(pid, SIGKILL);
}

bool ServerProcess::Reap() {
  bool server_ended = false;
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
      return server_ended;
    }
    const bool is_server = info.si_pid == pid_ && !ended();
    if (is_server) Signal(SIGKILL);
    int status = 0;
    if (::waitpid(info.si_pid, &status, WNOHANG) != info.si_pid) return server_ended;
    if (is_server) {
      wait_status_ = status;
      server_ended = true;
    }
  }
}

}  // namespace llmd::shim
