#include "serving/server_router.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"

namespace llmd::serving {
namespace {

bool IsUp(ServerState state) { return state == ServerState::kReady; }

bool IsComing(ServerState state) { return state == ServerState::kStarting; }

bool IsGoing(ServerState state) {
  return state == ServerState::kStopping || state == ServerState::kDraining;
}

// Whether a server in this state has processes, and so its reservation.
bool HoldsMemory(ServerState state) {
  return state != ServerState::kStopped && state != ServerState::kFailed &&
         state != ServerState::kCrashLoop;
}

Status NotServable(const ModelRecord& record) {
  std::string next_step = fmt::format("Install it again: llmctl install {}", record.name);
  if (record.state == ModelState::kBroken) {
    next_step = fmt::format("Remove it (llmctl remove {}), then install it again.", record.name);
  }
  return MakeStatus(
      StatusCode::kFailedPrecondition,
      fmt::format("{} cannot be served: it is {}", record.name, ToString(record.state)),
      {.code = "model_not_installed", .next_step = std::move(next_step)});
}

Status StoppedMeanwhile(const ModelRecord& record) {
  return MakeStatus(StatusCode::kUnavailable,
                    fmt::format("{} was stopped before it was ready", record.name),
                    {.code = "server_stopped", .next_step = "Try again."});
}

Status NotStarted(const ServerRecord& record) {
  const char* why = record.reason.empty() ? "it was stopped" : record.reason.c_str();
  return MakeStatus(StatusCode::kUnavailable,
                    fmt::format("{} did not become ready: {}", record.model, why),
                    {.code = "server_failed",
                     .next_step = fmt::format("See its log: llmctl logs {}", record.model)});
}

}  // namespace

bool Lease::Allows(std::string_view method, std::string_view path) const {
  const std::string route = fmt::format("{} {}", method, path);
  return std::find(target_.routes.begin(), target_.routes.end(), route) != target_.routes.end();
}

ServerRouter::ServerRouter(RouterParts parts) : parts_(std::move(parts)), ledger_(parts_.capacity) {
  writer_ = JoiningThread("serving-writer", [this] { WriteLoop(); });
}

ServerRouter::~ServerRouter() {
  {
    MutexLock lock(write_mutex_);
    ending_ = true;
    write_wake_.NotifyAll();
  }
  writer_.Join();
}

StatusOr<ModelRecord> ServerRouter::Resolve(std::string_view name) {
  LLMD_ASSIGN_OR_RETURN(const StoredModel model, parts_.models.Resolve(name));
  return model.record;
}

void ServerRouter::Acquire(std::string_view name, CancelToken cancel, AcquireDone done) {
  StatusOr<StoredModel> model = parts_.models.Resolve(name);
  if (!model.ok()) return done(model.status());
  const std::string folder = model->record.folder_name;
  WhenReady(*model, cancel, [this, folder, done = std::move(done)](const Status& status) {
    if (!status.ok()) return done(status);
    done(MakeLease(folder));
  });
}

void ServerRouter::Start(std::string_view name, CancelToken cancel, ServerDone done) {
  StatusOr<StoredModel> model = parts_.models.Resolve(name);
  if (!model.ok()) return done(model.status());
  const std::string canonical = model->record.name;
  WhenReady(*model, cancel, [this, canonical, done = std::move(done)](const Status& status) {
    if (!status.ok()) return done(status);
    done(Server(canonical));
  });
}

void ServerRouter::WhenReady(const StoredModel& model, const CancelToken& cancel,
                             std::function<void(Status)> wake) {
  if (model.record.state != ModelState::kInstalled) return wake(NotServable(model.record));
  if (cancel.IsCancelled()) return wake(Cancelled());
  const std::string folder = model.record.folder_name;
  Status status;
  bool ready = false;
  uint64_t id = 0;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[folder];
    const ServerState state = entry.server.state;
    ready = IsUp(state);
    // Asked for again under the lock: a removal marks the model first and stops its server then.
    if (!ready) status = StillInstalled(model.record.name);
    if (status.ok()) entry.model = model;
    if (status.ok() && IsGoing(state)) entry.start_after_stop = true;
    if (status.ok() && !ready && !IsComing(state) && !IsGoing(state)) status = BeginStart(entry);
    if (status.ok() && !ready) {
      id = next_waiter_++;
      entry.waiters.push_back({.id = id, .wake = wake});
    }
  }
  if (ready || !status.ok()) return wake(status);
  // Registered outside the lock: a token that fires now calls CancelWaiter on this thread.
  CancelRegistration registration =
      cancel.OnCancel([this, folder, id] { CancelWaiter(folder, id); });
  {
    MutexLock lock(mutex_);
    for (Waiter& waiter : entries_[folder].waiters) {
      if (waiter.id == id) waiter.cancel = std::move(registration);
    }
  }
  RunCommands();
}

Status ServerRouter::StillInstalled(const std::string& name) const {
  LLMD_ASSIGN_OR_RETURN(const StoredModel model, parts_.models.Get(name));
  return model.record.state == ModelState::kInstalled ? OkStatus() : NotServable(model.record);
}

Status ServerRouter::BeginStart(Entry& entry) {
  const ModelRecord& record = entry.model.record;
  LLMD_ASSIGN_OR_RETURN(const auto reservation, ledger_.Reserve(record.name, record.memory_bytes));
  entry.start_id = next_start_++;
  entry.server = {.model = record.name,
                  .folder_name = record.folder_name,
                  .state = ServerState::kStarting,
                  .engine = record.engine,
                  .reserved_bytes = reservation.memory_bytes,
                  .started_at = parts_.clock.Now()};
  const supervisor::ServerSpec spec{.model = record.name,
                                    .folder_name = record.folder_name,
                                    .folder = parts_.home.model(record.folder_name),
                                    .launch = entry.model.launch,
                                    .threads = reservation.threads,
                                    .reserved_bytes = reservation.memory_bytes};
  commands_.push_back([this, spec, start_id = entry.start_id] {
    PublishMemory();
    supervisor_->Start(spec, [this, spec, start_id](const StatusOr<ServerRecord>& result) {
      OnStarted(spec, start_id, result);
    });
  });
  return OkStatus();
}

void ServerRouter::RunCommands() {
  mutex_.Lock();
  // Where another thread is at it, that one takes the new commands along.
  if (std::exchange(commanding_, true)) return mutex_.Unlock();
  while (!commands_.empty()) {
    const Command command = std::move(commands_.front());
    commands_.pop_front();
    mutex_.Unlock();
    command();
    mutex_.Lock();
  }
  commanding_ = false;
  mutex_.Unlock();
}

void ServerRouter::OnStarted(const supervisor::ServerSpec& spec, uint64_t start_id,
                             const StatusOr<ServerRecord>& result) {
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[spec.folder_name];
    // Waiters of a start that has been overtaken ride on the newer one.
    if (entry.start_id != start_id) return;
    if (result.ok()) entry.server.last_used_at = parts_.clock.Now();
    // The observer mostly has told it already, and knows better: a stop is no failure.
    if (entry.server.state == ServerState::kStarting) {
      if (result.ok()) {
        entry.server = *result;
      } else {
        ledger_.Release(spec.model);
        entry.server.state = ServerState::kFailed;
        entry.server.reason = Message(result.status());
      }
    }
    wakes = TakeWaiters(entry, result.status());
  }
  parts_.metrics.Count(metric::kServerStarts,
                       {{"model", spec.model}, {"result", result.ok() ? "ready" : "failed"}});
  if (!result.ok()) PublishMemory();
  for (auto& wake : wakes) wake();
}

ServerRouter::Wakes ServerRouter::TakeWaiters(Entry& entry, const Status& status) {
  Wakes wakes;
  for (Waiter& waiter : entry.waiters) {
    // The registration travels along, so that it is destroyed outside the lock.
    auto held = std::make_shared<Waiter>(std::move(waiter));
    wakes.push_back([held, status] { held->wake(status); });
  }
  entry.waiters.clear();
  return wakes;
}

void ServerRouter::CancelWaiter(const std::string& folder, uint64_t id) {
  Waiter found;
  {
    MutexLock lock(mutex_);
    std::vector<Waiter>& waiters = entries_[folder].waiters;
    const auto at = std::find_if(waiters.begin(), waiters.end(),
                                 [id](const Waiter& waiter) { return waiter.id == id; });
    if (at == waiters.end()) return;
    found = std::move(*at);
    waiters.erase(at);
  }
  found.wake(Cancelled());
}

StatusOr<Lease> ServerRouter::MakeLease(const std::string& folder) {
  MutexLock lock(mutex_);
  Entry& entry = entries_[folder];
  if (!IsUp(entry.server.state)) {
    return MakeStatus(StatusCode::kUnavailable,
                      fmt::format("the server of {} went away", entry.model.record.name),
                      {.code = "server_failed", .next_step = "Try again."});
  }
  ++entry.server.in_flight;
  entry.server.last_used_at = parts_.clock.Now();
  const ModelRecord& record = entry.model.record;
  Lease::Target target{.model = record.name,
                       .kind = record.profile.kind,
                       .capabilities = record.profile.capabilities,
                       .endpoint = entry.server.endpoint,
                       .routes = entry.model.launch.routes,
                       .served_name = entry.model.launch.name};
  return Lease(std::move(target),
               [this, folder, start_id = entry.start_id] { ReleaseLease(folder, start_id); });
}

void ServerRouter::ReleaseLease(const std::string& folder, uint64_t start_id) {
  MutexLock lock(mutex_);
  Entry& entry = entries_[folder];
  // A lease that outlived its server says nothing about the next one.
  if (entry.start_id != start_id) return;
  if (entry.server.in_flight > 0) --entry.server.in_flight;
  entry.server.last_used_at = parts_.clock.Now();
}

void ServerRouter::Stop(std::string_view name, double grace_seconds, ServerDone done) {
  StatusOr<StoredModel> model = parts_.models.Resolve(name);
  if (!model.ok()) return done(model.status());
  const auto grace = grace_seconds > 0
                         ? std::chrono::milliseconds(static_cast<int64_t>(grace_seconds * 1000))
                         : parts_.stop_grace;
  const ModelRecord record = model->record;
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    if (const auto at = entries_.find(record.folder_name); at != entries_.end()) {
      // Who waits for the end of an earlier stop is not to start it again behind this one's back.
      if (std::exchange(at->second.start_after_stop, false)) {
        wakes = TakeWaiters(at->second, StoppedMeanwhile(record));
      }
    }
    commands_.push_back([this, record, grace, done = std::move(done)] {
      supervisor_->Stop(record.folder_name, grace, [this, record, done](const Status& status) {
        if (!status.ok()) return done(status);
        done(WithMemory(RecordOf(record)));
      });
    });
  }
  for (auto& wake : wakes) wake();
  RunCommands();
}

void ServerRouter::OnServerChanged(const ServerRecord& record) {
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[record.folder_name];
    const ServerRecord old = entry.server;
    entry.server = record;
    entry.server.in_flight = old.in_flight;
    entry.server.last_used_at = old.last_used_at;
    // Nobody's start is answered for a server that was adopted while it was starting.
    if (entry.start_id == 0 && IsComing(old.state) && !IsComing(record.state)) {
      wakes = TakeWaiters(entry, IsUp(record.state) ? OkStatus() : NotStarted(record));
    }
    if (!HoldsMemory(record.state)) {
      ledger_.Release(record.model);
      entry.server.in_flight = 0;
      if (std::exchange(entry.start_after_stop, false) && !entry.waiters.empty()) {
        const Status status = BeginStart(entry);
        if (!status.ok()) wakes = TakeWaiters(entry, status);
      }
    }
  }
  Remember(record);
  parts_.events.Publish(ServerChanged{WithMemory(record)});
  PublishMemory();
  for (auto& wake : wakes) wake();
  RunCommands();
}

Status ServerRouter::Restore(const std::vector<ServerRecord>& adopted) {
  LLMD_ASSIGN_OR_RETURN(const std::vector<ServerRecord> remembered, parts_.registry.ListServers());
  for (const ServerRecord& record : remembered) {
    const StatusOr<StoredModel> model = parts_.models.Get(record.model);
    if (!model.ok()) {
      LLMD_RETURN_IF_ERROR(parts_.registry.RemoveServer(record.folder_name));
    } else if (record.state == ServerState::kFailed) {
      MutexLock lock(mutex_);
      entries_[record.folder_name] = {.model = *model, .server = record};
    }
  }
  for (const ServerRecord& record : adopted) {
    const StatusOr<StoredModel> model = parts_.models.Get(record.model);
    MutexLock lock(mutex_);
    if (!model.ok()) {
      Log("serving").Info("server of a model that is gone is stopped", {{"model", record.model}});
      commands_.push_back([this, folder = record.folder_name] {
        supervisor_->Stop(folder, parts_.stop_grace, [](const Status&) {});
      });
      continue;
    }
    Entry& entry = entries_[record.folder_name];
    entry.model = *model;
    entry.server = record;
    ledger_.Restore(record.model, {.memory_bytes = record.reserved_bytes});
    parts_.metrics.Count(metric::kReadopted, {});
    Log("serving").Info("server adopted",
                        {{"model", record.model}, {"pid", std::to_string(record.pid)}});
  }
  RunCommands();
  return OkStatus();
}

ServerRecord ServerRouter::WithMemory(const ServerRecord& record) const {
  ServerRecord result = record;
  if (parts_.resident_bytes && record.pid > 0) {
    result.memory_bytes = parts_.resident_bytes(record.pid);
  }
  return result;
}

std::vector<ModelRecord> ServerRouter::Models() { return parts_.models.List(); }

std::vector<ServerRecord> ServerRouter::Servers() {
  std::vector<ServerRecord> records;
  {
    MutexLock lock(mutex_);
    for (const auto& [folder, entry] : entries_) {
      if (entry.server.state == ServerState::kStopped) continue;
      // How the server of a model that was removed had failed is nobody's business any more.
      const bool gone =
          !HoldsMemory(entry.server.state) && !parts_.models.Get(entry.server.model).ok();
      if (!gone) records.push_back(entry.server);
    }
  }
  for (ServerRecord& record : records) record = WithMemory(record);
  return records;
}

ServerRecord ServerRouter::RecordOf(const ModelRecord& model) const {
  MutexLock lock(mutex_);
  const auto at = entries_.find(model.folder_name);
  // Another model may have had the folder before.
  if (at != entries_.end() && at->second.server.model == model.name) return at->second.server;
  return {.model = model.name, .folder_name = model.folder_name, .engine = model.engine};
}

StatusOr<ServerRecord> ServerRouter::Server(std::string_view name) {
  LLMD_ASSIGN_OR_RETURN(const StoredModel model, parts_.models.Resolve(name));
  return WithMemory(RecordOf(model.record));
}

MemoryChanged ServerRouter::Memory() const {
  MutexLock lock(mutex_);
  return {.capacity_bytes = ledger_.capacity().memory_bytes,
          .reserved_bytes = ledger_.reserved_bytes()};
}

void ServerRouter::PublishMemory() {
  const MemoryChanged memory = Memory();
  parts_.metrics.SetGauge(metric::kMemoryBytes, {{"kind", "capacity"}},
                          static_cast<double>(memory.capacity_bytes));
  parts_.metrics.SetGauge(metric::kMemoryBytes, {{"kind", "reserved"}},
                          static_cast<double>(memory.reserved_bytes));
  parts_.events.Publish(memory);
}

void ServerRouter::Remember(const ServerRecord& record) {
  MutexLock lock(write_mutex_);
  writes_.push_back(record);
  write_wake_.NotifyOne();
}

void ServerRouter::WriteLoop() {
  for (;;) {
    ServerRecord record;
    {
      MutexLock lock(write_mutex_);
      while (writes_.empty() && !ending_) write_wake_.Wait(write_mutex_);
      if (writes_.empty()) return;
      record = std::move(writes_.front());
      writes_.pop_front();
    }
    const Status status = record.state == ServerState::kStopped
                              ? parts_.registry.RemoveServer(record.folder_name)
                              : parts_.registry.PutServer(record);
    if (!status.ok()) {
      Log("serving").Error("cannot record a server's state",
                           {{"model", record.model}, {"why", Message(status)}});
    }
  }
}

}  // namespace llmd::serving
