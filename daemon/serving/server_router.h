// ServerRouter: the ModelRouter over supervisor and memory ledger. Thread-safe; callbacks are
// always called without a lock held.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "domain/event.h"
#include "platform/paths.h"
#include "registry/registry.h"
#include "scheduler/memory_ledger.h"
#include "serving/model_router.h"
#include "serving/model_store.h"
#include "supervisor/supervisor.h"

namespace llmd::serving {

struct RouterParts {
  const platform::HomePaths& home;
  ModelStore& models;
  registry::Registry& registry;
  EventStream& events;
  const Clock& clock;
  Metrics& metrics;
  scheduler::LedgerCapacity capacity;
  std::chrono::milliseconds stop_grace{10'000};
  std::function<int64_t(int64_t pid)> resident_bytes;  // may be empty
};

class ServerRouter final : public ModelRouter {
 public:
  explicit ServerRouter(RouterParts parts);
  ~ServerRouter() override;

  // The supervisor is made with OnServerChanged as its observer, so it comes after the router.
  void Connect(supervisor::Supervisor& supervisor) { supervisor_ = &supervisor; }
  // The supervisor's observer; called on its loop thread.
  void OnServerChanged(const ServerRecord& record);
  // Takes over the servers that the supervisor adopted, and what the registry says of failed ones.
  // Servers of models that are gone are stopped.
  Status Restore(const std::vector<ServerRecord>& adopted);

  StatusOr<ModelRecord> Resolve(std::string_view name) override;
  void Acquire(std::string_view name, CancelToken cancel, AcquireDone done) override;
  void Start(std::string_view name, CancelToken cancel, ServerDone done) override;
  void Stop(std::string_view name, double grace_seconds, ServerDone done) override;
  std::vector<ModelRecord> Models() override;
  std::vector<ServerRecord> Servers() override;
  StatusOr<ServerRecord> Server(std::string_view name) override;
  MemoryChanged Memory() const;

 private:
  // Someone who waits for a server to be ready.
  struct Waiter {
    uint64_t id = 0;
    std::function<void(Status)> wake;
    CancelRegistration cancel;
  };
  struct Entry {
    StoredModel model;
    ServerRecord server;
    std::vector<Waiter> waiters;
    bool start_after_stop = false;
    uint64_t start_id = 0;  // which start the entry is at: late news of an older one change nothing
  };
  using Command = std::function<void()>;
  using Wakes = std::vector<std::function<void()>>;

  // Calls `wake` once: at once when the server is ready, else when it is or cannot be.
  void WhenReady(const StoredModel& model, const CancelToken& cancel,
                 std::function<void(Status)> wake);
  Status StillInstalled(const std::string& name) const;
  // Reserves and queues the command to start, or returns why not.
  Status BeginStart(Entry& entry) LLMD_REQUIRES(mutex_);
  // Tells the supervisor what was queued, without the lock and in the order in which the states
  // changed: a stop never overtakes the start before it.
  void RunCommands();
  void OnStarted(const supervisor::ServerSpec& spec, uint64_t start_id,
                 const StatusOr<ServerRecord>& result);
  void CancelWaiter(const std::string& folder, uint64_t id);
  static Wakes TakeWaiters(Entry& entry, const Status& status);
  StatusOr<Lease> MakeLease(const std::string& folder);
  void ReleaseLease(const std::string& folder, uint64_t start_id);
  ServerRecord RecordOf(const ModelRecord& model) const;
  ServerRecord WithMemory(const ServerRecord& record) const;
  void PublishMemory();
  void Remember(const ServerRecord& record);
  void WriteLoop();

  RouterParts parts_;
  supervisor::Supervisor* supervisor_ = nullptr;
  mutable Mutex mutex_;
  std::map<std::string, Entry> entries_ LLMD_GUARDED_BY(mutex_);  // by folder name
  scheduler::MemoryLedger ledger_ LLMD_GUARDED_BY(mutex_);
  uint64_t next_waiter_ LLMD_GUARDED_BY(mutex_) = 1;
  uint64_t next_start_ LLMD_GUARDED_BY(mutex_) = 1;
  std::deque<Command> commands_ LLMD_GUARDED_BY(mutex_);
  bool commanding_ LLMD_GUARDED_BY(mutex_) = false;

  // Registry writes wait for the disk, so they have a thread of their own.
  Mutex write_mutex_;
  CondVar write_wake_;
  std::deque<ServerRecord> writes_ LLMD_GUARDED_BY(write_mutex_);
  bool ending_ LLMD_GUARDED_BY(write_mutex_) = false;
  JoiningThread writer_;
};

}  // namespace llmd::serving
