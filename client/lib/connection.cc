#include "lib/connection.h"

#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

#include "base/file.h"
#include "domain/names.h"
#include "platform/process_launcher.h"

extern char** environ;

namespace llmd::client {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kStartPatience{15};

// The daemon gets the caller's environment: proxies, HF_*, LLMD_*, PATH for uv.
std::map<std::string, std::string> OwnEnvironment() {
  std::map<std::string, std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const char* equals = std::strchr(*entry, '=');
    if (equals != nullptr)
      result.emplace(std::string(*entry, static_cast<size_t>(equals - *entry)), equals + 1);
  }
  return result;
}

// Reads until the other end closes.
std::string ReadToEnd(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.ends_with('\n')) return text;
  }
}

// What llmd wrote before it ended: "llmd: what is wrong", and on the next line what to do.
Status LastWords(std::string_view said) {
  constexpr std::string_view kName = "llmd: ";
  if (said.starts_with(kName)) said.remove_prefix(kName.size());
  const size_t end = std::min(said.find('\n'), said.size());
  const std::string message = SanitizeForTerminal(said.substr(0, end));
  std::string_view rest = said.substr(end);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
  const std::string_view next_step = rest.substr(0, rest.find('\n'));
  return MakeStatus(StatusCode::kUnavailable,
                    message.empty() ? "it ended without a word; is its home's disk full?" : message,
                    {.code = "", .next_step = SanitizeForTerminal(next_step)});
}

Status NotStarted(const Status& why) {
  std::string next_step = GetErrorInfo(why).next_step;
  if (next_step.empty()) next_step = "Run llmd in a terminal to see what it says.";
  return MakeStatus(StatusCode::kUnavailable,
                    fmt::format("llmd could not be started: {}", Message(why)),
                    {.code = "daemon_not_started", .next_step = std::move(next_step)});
}

}  // namespace

std::shared_ptr<grpc::Channel> Connection::TryConnect(std::chrono::milliseconds patience) {
  std::error_code error;
  if (!std::filesystem::exists(home_.control_socket(), error)) return nullptr;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(64 << 20);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  auto channel = grpc::CreateCustomChannel("unix://" + home_.control_socket().string(),
                                           grpc::InsecureChannelCredentials(), arguments);
  const auto deadline = std::chrono::system_clock::now() + patience;
  // A refused connection shows at once as a transient failure; no need to wait it out.
  auto state = channel->GetState(true);
  while (state != GRPC_CHANNEL_READY) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) return nullptr;
    if (!channel->WaitForStateChange(state, deadline)) return nullptr;
    state = channel->GetState(true);
  }
  return channel;
}

StatusOr<std::shared_ptr<grpc::Channel>> Connection::Connect(bool start) {
  if (channel_) return channel_;
  channel_ = TryConnect(5s);
  if (channel_) return channel_;
  if (!start) {
    return MakeStatus(StatusCode::kUnavailable,
                      fmt::format("no llmd answers for {}", home_.home.string()),
                      {.code = "daemon_unreachable", .next_step = "Start it with: llmd"});
  }
  if (const Status started = StartDaemon(); !started.ok()) return NotStarted(started);
  // Another llmd may have been quicker to begin and not be ready yet.
  const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    channel_ = TryConnect(5s);
    if (channel_) return channel_;
    std::this_thread::sleep_for(50ms);
  }
  return NotStarted(Unavailable("it does not answer on its socket"));
}

bool Connection::WaitUntilBack(std::chrono::milliseconds patience) {
  return channel_ != nullptr &&
         channel_->WaitForConnected(std::chrono::system_clock::now() + patience);
}

Status Connection::StartDaemon() {
  LLMD_ASSIGN_OR_RETURN(const auto program, platform::FindProgram("llmd"));
  LLMD_RETURN_IF_ERROR(platform::CreateHome(home_));
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make a pipe");
  FileDescriptor read_end(ready[0]);
  FileDescriptor write_end(ready[1]);
  const auto log = home_.logs() / "llmd.out";
  LLMD_ASSIGN_OR_RETURN(FileDescriptor output,
                        OpenFile(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND));
  const auto launcher = platform::MakeProcessLauncher();
  LLMD_ASSIGN_OR_RETURN(
      const auto process,
      launcher->Launch({.program = program,
                        .arguments = {"--home", home_.home, "--ready-fd", "3", "--quiet"},
                        .environment = OwnEnvironment(),
                        .descriptors = {{output.get(), 1}, {output.get(), 2}, {write_end.get(), 3}},
                        .new_session = true}));
  write_end.Close();
  // One line when it is ready; end of file when it is gone. Another llmd that was quicker is fine.
  const std::string line = ReadToEnd(read_end.get());
  if (line.starts_with("ready") || line.starts_with("already_running")) return OkStatus();
  const StatusOr<std::string> said = ReadFile(log, 1 << 20);
  return LastWords(said.ok() ? *said : "");
}

}  // namespace llmd::client
