// What a server's folder says when llmd starts: is its shim still there, and is it ours? Boot id,
// pid, start time and token must all agree; the last one is asked over the socket, elsewhere.
#pragma once

#include <optional>
#include <string>

#include "platform/process_table.h"
#include "platform/shim_protocol.h"
#include "supervisor/server_folder.h"

namespace llmd::supervisor {

struct FoundServer {
  ServerFolder folder;
  std::optional<platform::ShimSpec> spec;
  std::optional<platform::ShimState> state;
  std::optional<platform::ShimExit> exit;
};

// Reads the files; what is not there or broken is left out.
FoundServer ReadServer(const ServerFolder& folder);

enum class Verdict {
  kNothing,    // no server was ever started there
  kEnded,      // it has ended, exit.json says how
  kRebooted,   // the machine was started again since
  kShimGone,   // the shim is not there any more and left no exit.json
  kCandidate,  // boot id, pid and start time agree
};

// `shim` is the process that now has the shim's pid. Pure.
Verdict Judge(const FoundServer& found, const std::string& boot_id,
              const std::optional<platform::ProcessInfo>& shim);

// Removes a folder in which no server is known to run. A shim that was just starting one there
// notices and ends it; one that has started it right now loses it here.
void Discard(const ServerFolder& folder);

}  // namespace llmd::supervisor
