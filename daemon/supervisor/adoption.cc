#include "supervisor/adoption.h"

#include <signal.h>

#include "base/file.h"
#include "base/hash.h"
#include "domain/names.h"

namespace llmd::supervisor {

FoundServer ReadServer(const ServerFolder& folder) {
  FoundServer found{.folder = folder, .exit = folder.ReadExit()};
  const StatusOr<std::string> state = ReadFile(folder.files.state(), platform::kMaxShimMessage);
  if (!state.ok()) return found;
  StatusOr<platform::ShimState> parsed = platform::ParseShimState(*state);
  // A folder that was copied from elsewhere says nothing about this one.
  const std::string id = folder.files.folder.filename().string();
  if (!parsed.ok() || ServerIdFor(parsed->folder_name) != id) return found;
  found.state = std::move(*parsed);
  const StatusOr<std::string> spec = ReadFile(folder.files.spec(), platform::kMaxShimMessage);
  // A spec that is not the one that runs says nothing about it.
  if (!spec.ok() || Sha256Hex(*spec) != found.state->spec_sha256) return found;
  StatusOr<platform::ShimSpec> parsed_spec = platform::ParseShimSpec(*spec);
  if (parsed_spec.ok()) found.spec = std::move(*parsed_spec);
  return found;
}

Verdict Judge(const FoundServer& found, const std::string& boot_id,
              const std::optional<platform::ProcessInfo>& shim) {
  if (!found.state) return Verdict::kNothing;
  if (found.exit) return Verdict::kEnded;
  if (found.state->boot_id != boot_id) return Verdict::kRebooted;
  const bool same = shim && shim->pid == found.state->shim.pid && shim->state != 'Z' &&
                    shim->start_ticks == found.state->shim.start_ticks;
  return same && found.state->shim.pid > 1 ? Verdict::kCandidate : Verdict::kShimGone;
}

void Discard(const ServerFolder& folder) {
  const StatusOr<std::string> text = ReadFile(folder.files.spec(), platform::kMaxShimMessage);
  folder.Remove();
  const StatusOr<platform::ShimSpec> spec = platform::ParseShimSpec(text.ok() ? *text : "");
  if (!spec.ok()) return;
  for (const pid_t pid : platform::ProcessesWithVariable(platform::MarkAssignment(spec->token))) {
    ::kill(pid, SIGKILL);
  }
}

}  // namespace llmd::supervisor
