// The real supervisor over the real llmd-shim and scripts that stand in for model servers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "domain/names.h"
#include "platform/process_launcher.h"
#include "platform/process_table.h"
#include "platform/shim_protocol.h"
#include "platform/unix_socket.h"
#include "supervisor/supervisor.h"
#include "support/processes.h"
#include "support/temp_folder.h"

namespace llmd::testing {

// What the supervisor tells, in order.
class Observed {
 public:
  void Add(const ServerRecord& record) {
    MutexLock lock(mutex_);
    records_.push_back(record);
    changed_.NotifyAll();
  }
  // Waits for the first record of that state; removes it and those before it.
  std::optional<ServerRecord> WaitFor(ServerState state) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    MutexLock lock(mutex_);
    for (;;) {
      while (!records_.empty()) {
        const ServerRecord record = records_.front();
        records_.erase(records_.begin());
        if (record.state == state) return record;
      }
      if (!changed_.WaitUntil(mutex_, deadline)) return std::nullopt;
    }
  }
  // The states so far, equal neighbours once.
  std::vector<ServerState> States() const {
    MutexLock lock(mutex_);
    std::vector<ServerState> states;
    for (const ServerRecord& record : records_) {
      if (states.empty() || states.back() != record.state) states.push_back(record.state);
    }
    return states;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<ServerRecord> records_ LLMD_GUARDED_BY(mutex_);
};

class SupervisorTest : public ::testing::Test {
 protected:
  using Started = StatusOr<ServerRecord>;

  void SetUp() override {
    options_ = {.shim = std::string(LLMD_BINARY_DIR) + "/bin/llmd-shim",
                .servers_dir = home_ / "run/servers",
                .sockets_dir = home_ / "run/servers"};
    std::filesystem::create_directories(options_.servers_dir);
  }

  void TearDown() override {
    if (supervisor_) {
      for (const ServerRecord& record : supervisor_->List()) {
        EXPECT_TRUE(StopAndWait(record.folder_name, 0).ok());
      }
      supervisor_.reset();
    }
    // Shims that an earlier supervisor has started are children of this process still.
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }

  // Begins a new supervisor, after ending the one before as an end of llmd would.
  std::vector<ServerRecord> Begin() {
    supervisor_.reset();
    observed_ = std::make_unique<Observed>();
    supervisor_ = supervisor::MakeShimSupervisor(
        *launcher_, clock_, metrics_, options_,
        [observed = observed_.get()](const ServerRecord& record) { observed->Add(record); });
    const auto adopted = supervisor_->Begin();
    EXPECT_TRUE(adopted.ok());
    return adopted.ok() ? *adopted : std::vector<ServerRecord>{};
  }

  supervisor::ServerSpec Spec(std::string_view script, std::string folder_name = "org_name",
                              std::string_view interpreter = "/bin/sh") {
    return {.model = "org/" + folder_name.substr(folder_name.find('_') + 1),
            .folder_name = folder_name,
            .folder = WriteModel(home_, "models/" + folder_name, script, interpreter),
            .launch = {.engine = "none", .bind = "inherit", .ready_timeout_seconds = 60},
            .threads = 2,
            .reserved_bytes = 12345};
  }

  std::future<Started> Start(const supervisor::ServerSpec& spec) {
    auto promise = std::make_shared<std::promise<Started>>();
    supervisor_->Start(spec, [promise](Started record) { promise->set_value(std::move(record)); });
    return promise->get_future();
  }
  std::future<Status> Stop(std::string_view folder_name, int grace_ms) {
    auto promise = std::make_shared<std::promise<Status>>();
    supervisor_->Stop(folder_name, std::chrono::milliseconds(grace_ms),
                      [promise](Status status) { promise->set_value(std::move(status)); });
    return promise->get_future();
  }
  template <typename T>
  static T Get(std::future<T> future) {
    const auto status = future.wait_for(std::chrono::milliseconds(kPatienceMs));
    if (status != std::future_status::ready) {
      ADD_FAILURE() << "nobody was told";
      return T(DeadlineExceeded("nobody was told"));
    }
    return future.get();
  }
  Started StartAndWait(const supervisor::ServerSpec& spec) { return Get(Start(spec)); }
  Status StopAndWait(std::string_view folder_name, int grace_ms) {
    return Get(Stop(folder_name, grace_ms));
  }

  platform::ServerFiles FilesOf(std::string_view folder_name = "org_name") const {
    return {options_.servers_dir / ServerIdFor(folder_name)};
  }
  platform::ShimState StateOf(std::string_view folder_name = "org_name") const {
    const auto text = ReadFile(FilesOf(folder_name).state(), 1 << 20);
    EXPECT_TRUE(text.ok()) << Message(text.status());
    const auto state = platform::ParseShimState(text.ok() ? *text : "");
    EXPECT_TRUE(state.ok());
    return state.ok() ? *state : platform::ShimState{};
  }
  // A line that a script writes into a FIFO of its folder; made before the script starts.
  std::filesystem::path MakeFifo(const std::string& name, const std::string& folder = "org_name") {
    const std::filesystem::path path = home_ / ("models/" + folder + "/" + name);
    std::filesystem::create_directories(path.parent_path());
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  static std::string ReadLine(const std::filesystem::path& fifo) {
    std::ifstream file(fifo);
    std::string line;
    std::getline(file, line);
    return line;
  }

  TempFolder home_;
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<platform::ProcessLauncher> launcher_ = platform::MakeProcessLauncher();
  supervisor::SupervisorOptions options_;
  std::unique_ptr<Observed> observed_;
  std::unique_ptr<supervisor::Supervisor> supervisor_;
};

}  // namespace llmd::testing
