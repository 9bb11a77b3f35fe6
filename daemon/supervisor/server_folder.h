// The folder of one server below run/servers, and what the shim is told. Thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "platform/shim_protocol.h"
#include "supervisor/supervisor.h"

namespace llmd::supervisor {

struct ServerFolder {
  platform::ServerFiles files;
  std::filesystem::path sockets;  // the same, or elsewhere when that path is too long

  std::filesystem::path shim_socket() const { return platform::ShimSocketIn(sockets); }
  std::filesystem::path api_socket() const { return platform::ApiSocketIn(sockets); }

  // Makes it, empty and closed to other users.
  Status Prepare() const;
  // Removes it with all that lies there; what cannot be removed is logged.
  void Remove() const;
  std::optional<platform::ShimExit> ReadExit() const;
};

ServerFolder FolderOf(const SupervisorOptions& options, std::string_view folder_name);
// Every server folder that is there.
std::vector<ServerFolder> ExistingFolders(const SupervisorOptions& options);

platform::ShimSpec MakeShimSpec(const ServerSpec& spec, const ServerFolder& folder,
                                std::string token, WallTime started_at);

}  // namespace llmd::supervisor
