#include "supervisor/shim_supervisor.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "platform/process_table.h"
#include "platform/unix_socket.h"
#include "supervisor/adoption.h"

namespace llmd::supervisor {

namespace {

Status Ending() {
  return MakeStatus(StatusCode::kUnavailable, "llmd is ending",
                    {.code = "shutting_down", .next_step = "Try again when it runs."});
}

}  // namespace

ShimSupervisor::ShimSupervisor(platform::ProcessLauncher& launcher, const Clock& clock,
                               Metrics& metrics, SupervisorOptions options, ServerObserver observer)
    : options_(std::move(options)),
      clock_(clock),
      observer_(std::move(observer)),
      context_{.launcher = launcher,
               .clock = clock,
               .metrics = metrics,
               .options = options_,
               .changed = [this](const ServerRecord& record) { OnChanged(record); }} {}

StatusOr<std::vector<ServerRecord>> ShimSupervisor::Begin() {
  LLMD_ASSIGN_OR_RETURN(const std::string boot_id, platform::BootId());
  LLMD_ASSIGN_OR_RETURN(auto pipe, platform::MakePipe());
  LLMD_RETURN_IF_ERROR(platform::SetNonBlocking(pipe.first.get()));
  LLMD_RETURN_IF_ERROR(platform::SetNonBlocking(pipe.second.get()));
  {
    MutexLock lock(mutex_);
    if (life_ != Life::kNew) return FailedPrecondition("the supervisor was begun before");
    wake_read_ = std::move(pipe.first);
    wake_write_ = std::move(pipe.second);
    life_ = Life::kRunning;
  }
  thread_ = JoiningThread("supervisor", [this, boot_id] { Loop(boot_id); });
  MutexLock lock(mutex_);
  while (!adoption_over_) adopted_.Wait(mutex_);
  std::vector<ServerRecord> adopted;
  for (const auto& [folder, record] : records_) {
    if (record.pid > 0) adopted.push_back(record);
  }
  return adopted;
}

void ShimSupervisor::End() {
  {
    MutexLock lock(mutex_);
    if (life_ == Life::kOver) return;
    life_ = Life::kOver;
  }
  Wake();
  thread_.Join();
  std::deque<Command> left;
  {
    MutexLock lock(mutex_);
    left.swap(commands_);
  }
  for (const Command& command : left) command.abandon(Ending());
}

void ShimSupervisor::Start(const ServerSpec& spec, StartDone done) {
  Post({.run = [this, spec, done] { ServerOf(spec.folder_name).Start(spec, done); },
        .abandon = [done](const Status& why) { done(why); }});
}

void ShimSupervisor::Stop(std::string_view folder_name, std::chrono::milliseconds grace,
                          StopDone done) {
  Post({.run =
            [this, folder = std::string(folder_name), grace, done] {
              ServerOf(folder).Stop(std::max(grace, std::chrono::milliseconds(0)), done);
            },
        .abandon = [done](const Status& why) { done(why); }});
}

std::vector<ServerRecord> ShimSupervisor::List() {
  MutexLock lock(mutex_);
  std::vector<ServerRecord> records;
  for (const auto& [folder, record] : records_) records.push_back(record);
  return records;
}

void ShimSupervisor::Post(Command command) {
  {
    MutexLock lock(mutex_);
    if (life_ == Life::kRunning) {
      commands_.push_back(std::move(command));
      command.abandon = nullptr;
    }
  }
  if (command.abandon) return command.abandon(Ending());
  Wake();
}

void ShimSupervisor::Wake() {
  // A full pipe wakes the loop as well.
  [[maybe_unused]] const ssize_t written = ::write(wake_write_.get(), "", 1);
}

void ShimSupervisor::Loop(const std::string& boot_id) {
  FindServers(boot_id);
  while (RunCommands()) {
    FinishAdoption();
    WaitForEvents();
  }
  for (const auto& [folder, server] : servers_) server->Abandon(Ending());
  servers_.clear();  // closes the lines to the shims, which go on
  FinishAdoption();
}

void ShimSupervisor::FindServers(const std::string& boot_id) {
  for (const ServerFolder& folder : ExistingFolders(options_)) {
    const FoundServer found = ReadServer(folder);
    const auto shim = found.state ? platform::FindProcess(static_cast<pid_t>(found.state->shim.pid))
                                  : std::nullopt;
    const Verdict verdict = Judge(found, boot_id, shim);
    if (verdict == Verdict::kNothing) {
      Discard(folder);
      continue;
    }
    if (verdict == Verdict::kShimGone && shim) {
      Log("supervisor")
          .Warn("another process has the pid of a model server's shim; it is left alone",
                {{"model", found.state->model}, {"pid", std::to_string(shim->pid)}});
    }
    ManagedServer& server = ServerOf(found.state->folder_name);
    if (verdict == Verdict::kCandidate) {
      server.Adopt(found);
    } else {
      server.Mourn(found, verdict);
    }
  }
}

bool ShimSupervisor::AnyAdopting() const {
  return std::any_of(servers_.begin(), servers_.end(),
                     [](const auto& entry) { return entry.second->adopting(); });
}

// False when the loop is to end.
bool ShimSupervisor::RunCommands() {
  // What is asked for before it is known what runs has to wait.
  const bool wait = AnyAdopting();
  std::deque<Command> commands;
  {
    MutexLock lock(mutex_);
    if (life_ == Life::kOver) return false;
    if (!wait) commands.swap(commands_);
  }
  for (const Command& command : commands) command.run();
  std::erase_if(servers_, [](const auto& entry) {
    return entry.second->idle() && entry.second->record().state != ServerState::kFailed;
  });
  return true;
}

void ShimSupervisor::WaitForEvents() {
  std::vector<pollfd> waits{{wake_read_.get(), POLLIN, 0}};
  std::optional<SteadyTime> next;
  for (const auto& [folder, server] : servers_) {
    server->AddToPoll(waits);
    const std::optional<SteadyTime> deadline = server->deadline();
    if (deadline) next = next ? std::min(*next, *deadline) : *deadline;
  }
  int timeout = -1;
  if (next) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - clock_.Steady());
    timeout = static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30));
  }
  const int found = ::poll(waits.data(), waits.size(), timeout);
  char bytes[256];
  while (waits[0].revents != 0 && ::read(wake_read_.get(), bytes, sizeof(bytes)) > 0) {
  }
  for (const auto& [folder, server] : servers_) {
    if (found > 0) server->OnPoll(waits);
    server->OnTime(clock_.Steady());
  }
}

// Tells Begin, once, what has been adopted.
void ShimSupervisor::FinishAdoption() {
  {
    MutexLock lock(mutex_);
    if (adoption_over_) return;
  }
  if (AnyAdopting()) return;
  MutexLock lock(mutex_);
  for (const auto& [folder, server] : servers_) {
    const ServerRecord& record = server->record();
    if (record.state != ServerState::kStopped) records_[folder] = record;
  }
  adoption_over_ = true;
  adopted_.NotifyAll();
}

void ShimSupervisor::OnChanged(const ServerRecord& record) {
  {
    MutexLock lock(mutex_);
    if (record.state == ServerState::kStopped) {
      records_.erase(record.folder_name);
    } else {
      records_[record.folder_name] = record;
    }
  }
  if (observer_) observer_(record);
}

ManagedServer& ShimSupervisor::ServerOf(const std::string& folder_name) {
  std::unique_ptr<ManagedServer>& server = servers_[folder_name];
  if (!server) server = std::make_unique<ManagedServer>(context_, folder_name);
  return *server;
}

std::unique_ptr<Supervisor> MakeShimSupervisor(platform::ProcessLauncher& launcher,
                                               const Clock& clock, Metrics& metrics,
                                               SupervisorOptions options, ServerObserver observer) {
  return std::make_unique<ShimSupervisor>(launcher, clock, metrics, std::move(options),
                                          std::move(observer));
}

}  // namespace llmd::supervisor
