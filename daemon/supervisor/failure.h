// How a server's bad end is told. Pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "platform/shim_protocol.h"

namespace llmd::supervisor {

struct ServerEnd {
  std::string model;
  std::optional<platform::ShimExit> exit;  // none: the shim is gone without a word
  bool was_ready = false;
  std::string said;  // what the server or the shim said about it; may be empty
};

// kUnavailable, code "server_failed": a sentence, then the last lines of the log.
Status ServerFailed(const ServerEnd& end);
// The shim could not be started, because of `why`. kUnavailable, code "server_failed", but for a
// limit that was met, such as a full disk: that stays what it is.
Status CannotLaunch(std::string_view model, const Status& why);
// kDeadlineExceeded, code "server_start_timeout".
Status StartTimedOut(const ServerEnd& end, std::chrono::seconds limit);
// kCancelled, code "server_stopped": stopped before it was ready.
Status StoppedBeforeReady(std::string_view model);
// kDeadlineExceeded, code "server_stop_timeout".
Status StopTimedOut(std::string_view model, int64_t pid);

// The part of a message before its first line break.
std::string FirstLine(std::string_view message);

}  // namespace llmd::supervisor
