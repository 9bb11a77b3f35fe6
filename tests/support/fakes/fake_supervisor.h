// FakeSupervisor: servers that the test moves by hand through the states of supervisor.h. Callbacks
// run on the thread that calls Ready, Fail or EndStop, never under a lock. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "supervisor/supervisor.h"

namespace llmd::testing {

class FakeSupervisor final : public supervisor::Supervisor {
 public:
  explicit FakeSupervisor(supervisor::ServerObserver observer = {})
      : observer_(std::move(observer)) {}

  // What Begin will say that it has adopted.
  void Adopt(ServerRecord record) {
    MutexLock lock(mutex_);
    servers_[record.folder_name].record = std::move(record);
  }

  StatusOr<std::vector<ServerRecord>> Begin() override { return List(); }
  void End() override {}

  void Start(const supervisor::ServerSpec& spec, StartDone done) override {
    ServerRecord record;
    {
      MutexLock lock(mutex_);
      starts_.push_back(spec);
      Server& server = servers_[spec.folder_name];
      const ServerState state = server.record.state;
      if (state == ServerState::kReady) {
        record = server.record;
      } else if (state == ServerState::kStopping) {
        server.next_spec = spec;
        server.next.push_back(std::move(done));
        return;
      } else {
        server.starts.push_back(std::move(done));
        if (state == ServerState::kStarting) return;
        done = {};
        server.record = Starting(spec);
        record = server.record;
      }
    }
    if (done) return done(record);
    Tell(record);
  }

  void Stop(std::string_view folder_name, std::chrono::milliseconds grace, StopDone done) override {
    ServerRecord record;
    std::vector<StartDone> refused;
    bool changed = false;
    {
      MutexLock lock(mutex_);
      graces_.push_back(grace);
      Server& server = servers_[std::string(folder_name)];
      const ServerState state = server.record.state;
      if (state == ServerState::kStopped || state == ServerState::kFailed) {
        changed = state == ServerState::kFailed;
        server.record.state = ServerState::kStopped;
      } else {
        server.stops.push_back(std::move(done));
        done = {};
        changed = state != ServerState::kStopping;
        server.record.state = ServerState::kStopping;
        refused.swap(server.next);
      }
      record = server.record;
    }
    if (changed) Tell(record);
    for (const StartDone& start : refused) start(Stopped());
    if (done) return done(OkStatus());
    if (stop_at_once_) EndStop(folder_name);
  }

  std::vector<ServerRecord> List() override {
    MutexLock lock(mutex_);
    std::vector<ServerRecord> records;
    for (const auto& [folder, server] : servers_) {
      if (server.record.state != ServerState::kStopped) records.push_back(server.record);
    }
    return records;
  }

  // The server that starts is ready at `endpoint`.
  void Ready(std::string_view folder_name, std::string endpoint, int64_t pid = 4242) {
    Change(folder_name, OkStatus(), [&endpoint, pid](ServerRecord& record) {
      record.state = ServerState::kReady;
      record.endpoint = std::move(endpoint);
      record.pid = pid;
    });
  }

  // The server dies, or never becomes ready.
  void Fail(std::string_view folder_name, const Status& why) {
    Change(folder_name, why, [&why](ServerRecord& record) {
      record.state = ServerState::kFailed;
      record.reason = Message(why);
      record.pid = 0;
    });
  }

  // The server that stops has ended.
  void EndStop(std::string_view folder_name) {
    Change(folder_name, Stopped(), [](ServerRecord& record) {
      record.state = ServerState::kStopped;
      record.pid = 0;
    });
  }

  // Whether Stop ends a server at once (as at first) or waits for EndStop. Set before use.
  void StopAtOnce(bool at_once) { stop_at_once_ = at_once; }

  std::vector<supervisor::ServerSpec> starts() const {
    MutexLock lock(mutex_);
    return starts_;
  }
  std::vector<std::chrono::milliseconds> graces() const {
    MutexLock lock(mutex_);
    return graces_;
  }

 private:
  struct Server {
    ServerRecord record;
    std::vector<StartDone> starts;
    std::vector<StopDone> stops;
    // Starts that were asked for while it was stopping.
    supervisor::ServerSpec next_spec;
    std::vector<StartDone> next;
  };

  static Status Stopped() {
    return MakeStatus(StatusCode::kCancelled, "stopped",
                      {.code = "server_stopped", .next_step = ""});
  }

  static ServerRecord Starting(const supervisor::ServerSpec& spec) {
    return {.model = spec.model,
            .folder_name = spec.folder_name,
            .state = ServerState::kStarting,
            .engine = spec.launch.engine,
            .reserved_bytes = spec.reserved_bytes};
  }

  void Change(std::string_view folder_name, const Status& status,
              const std::function<void(ServerRecord&)>& change) {
    ServerRecord record;
    std::vector<StartDone> starts;
    std::vector<StopDone> stops;
    std::optional<ServerRecord> next;
    {
      MutexLock lock(mutex_);
      Server& server = servers_[std::string(folder_name)];
      change(server.record);
      record = server.record;
      starts.swap(server.starts);
      if (!status.ok()) stops.swap(server.stops);
      if (!status.ok() && !server.next.empty()) {
        server.starts.swap(server.next);
        server.record = Starting(server.next_spec);
        next = server.record;
      }
    }
    Tell(record);
    for (const StartDone& done : starts) {
      done(status.ok() ? StatusOr<ServerRecord>(record) : StatusOr<ServerRecord>(status));
    }
    for (const StopDone& done : stops) done(OkStatus());
    if (next) Tell(*next);
  }

  void Tell(const ServerRecord& record) {
    if (observer_) observer_(record);
  }

  const supervisor::ServerObserver observer_;
  bool stop_at_once_ = true;
  mutable Mutex mutex_;
  std::map<std::string, Server> servers_ LLMD_GUARDED_BY(mutex_);
  std::vector<supervisor::ServerSpec> starts_ LLMD_GUARDED_BY(mutex_);
  std::vector<std::chrono::milliseconds> graces_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::testing
