// Connection: finds the daemon of a home, starts it when none answers, and makes the channel.
#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/status.h"
#include "platform/paths.h"

namespace llmd::client {

class Connection {
 public:
  explicit Connection(platform::HomePaths home) : home_(std::move(home)) {}

  const platform::HomePaths& home() const { return home_; }

  // The channel to a daemon that answers. Starts one first when none does and `start` is true;
  // kUnavailable (code "daemon_unreachable" or "daemon_not_started") otherwise.
  StatusOr<std::shared_ptr<grpc::Channel>> Connect(bool start);

  // After a connection broke: waits for the daemon to answer again. False when it does not.
  bool WaitUntilBack(std::chrono::milliseconds patience);

 private:
  std::shared_ptr<grpc::Channel> TryConnect(std::chrono::milliseconds patience);
  Status StartDaemon();

  platform::HomePaths home_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace llmd::client
