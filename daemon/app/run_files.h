// The small files below run/ by which clients find the daemon.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "platform/paths.h"

namespace llmd::app {

// The token that HTTP and TCP callers show: 32 random bytes in hex, made at the first start, 0600.
StatusOr<std::string> LoadToken(const platform::HomePaths& home);

struct Address {
  std::string http;
  std::string grpc;
  std::optional<std::string> grpc_tcp;
  WallTime started_at{};
};

// run/address.json, and a copy at `copy` unless that is empty; there once all of them listen.
Status WriteAddress(const platform::HomePaths& home, const Address& address,
                    const std::filesystem::path& copy);
void RemoveAddress(const platform::HomePaths& home);

}  // namespace llmd::app
