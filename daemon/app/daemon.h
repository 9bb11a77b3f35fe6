// Daemon: starts the parts in order, waits until somebody asks it to end, stops them in reverse.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>

#include "app/parts.h"
#include "base/cancel.h"
#include "base/status.h"

namespace llmd::app {

struct DaemonOptions {
  std::filesystem::path address_file;  // a copy of run/address.json; empty: none
  std::function<void()> on_ready;      // once everything listens
};

class Daemon {
 public:
  // The home must be locked.
  explicit Daemon(DaemonOptions options) : options_(std::move(options)) {}

  // Runs until `Ask` is called; the first error of starting or stopping.
  Status Run(config::Config config);

  // Asks it to end; from any thread, at once. Servers go on unless `stop_servers`.
  void Ask(bool stop_servers);

 private:
  Status Start(Parts& parts);
  Status Stop(Parts& parts);
  Status StopServers(Parts& parts);

  const DaemonOptions options_;
  CancelSource asked_;
  std::atomic<bool> stop_servers_{false};
};

}  // namespace llmd::app
