// ShimSupervisor: the loop thread under the Supervisor's face. See supervisor.h.
#pragma once

#include <poll.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "supervisor/managed_server.h"
#include "supervisor/supervisor.h"

namespace llmd::supervisor {

class ShimSupervisor final : public Supervisor {
 public:
  ShimSupervisor(platform::ProcessLauncher& launcher, const Clock& clock, Metrics& metrics,
                 SupervisorOptions options, ServerObserver observer);
  ~ShimSupervisor() override { End(); }

  StatusOr<std::vector<ServerRecord>> Begin() override;
  void End() override;
  void Start(const ServerSpec& spec, StartDone done) override;
  void Stop(std::string_view folder_name, std::chrono::milliseconds grace, StopDone done) override;
  std::vector<ServerRecord> List() override;

 private:
  enum class Life { kNew, kRunning, kOver };
  // What to do on the loop thread, and whom to tell when it will never be done.
  struct Command {
    std::function<void()> run;
    std::function<void(const Status&)> abandon;
  };

  void Post(Command command);
  void Wake();
  void FindServers(const std::string& boot_id);
  void Loop(const std::string& boot_id);
  bool AnyAdopting() const;
  bool RunCommands();
  void WaitForEvents();
  void FinishAdoption();
  void OnChanged(const ServerRecord& record);
  ManagedServer& ServerOf(const std::string& folder_name);

  const SupervisorOptions options_;
  const Clock& clock_;
  const ServerObserver observer_;
  ServerContext context_;
  FileDescriptor wake_read_;
  FileDescriptor wake_write_;
  // Loop thread only.
  std::map<std::string, std::unique_ptr<ManagedServer>> servers_;

  Mutex mutex_;
  CondVar adopted_;
  Life life_ LLMD_GUARDED_BY(mutex_) = Life::kNew;
  bool adoption_over_ LLMD_GUARDED_BY(mutex_) = false;
  std::deque<Command> commands_ LLMD_GUARDED_BY(mutex_);
  std::map<std::string, ServerRecord> records_ LLMD_GUARDED_BY(mutex_);
  JoiningThread thread_;
};

}  // namespace llmd::supervisor
