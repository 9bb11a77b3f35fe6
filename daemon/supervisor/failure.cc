#include "supervisor/failure.h"

#include <algorithm>
#include <cstring>

#include "domain/names.h"

namespace llmd::supervisor {
namespace {

constexpr size_t kShownLines = 10;

std::string SignalText(int signal) {
  const char* name = ::strsignal(signal);
  return fmt::format("signal {} ({})", signal, name == nullptr ? "unknown" : name);
}

std::string HowItEnded(const ServerEnd& end) {
  if (!end.said.empty()) return end.exit ? "failed" : "could not be run";
  if (!end.exit) return "is gone without a trace (its llmd-shim was killed)";
  if (end.exit->oom) return "was killed because memory ran out";
  if (end.exit->signal != 0) return "was ended by " + SignalText(end.exit->signal);
  return fmt::format("ended with exit code {}", end.exit->exit_code);
}

std::string WhenItEnded(const ServerEnd& end) {
  // What could not be run was never ready.
  if (end.was_ready || (!end.exit && !end.said.empty())) return "";
  return " before it was ready";
}

std::string LastLines(const ServerEnd& end) {
  if (!end.exit) return "";
  const std::vector<std::string>& log = end.exit->last_log;
  std::string text;
  for (size_t i = log.size() - std::min(log.size(), kShownLines); i < log.size(); ++i) {
    text += "\n  " + SanitizeForTerminal(log[i]);
  }
  return text.empty() ? "" : "\nThe last lines of its log:" + text;
}

ErrorInfo SeeTheLog(const char* code, std::string_view model) {
  return {.code = code, .next_step = fmt::format("Read its log: llmctl logs {}", model)};
}

}  // namespace

Status ServerFailed(const ServerEnd& end) {
  const std::string said = end.said.empty() ? "" : ": " + SanitizeForTerminal(end.said);
  return MakeStatus(StatusCode::kUnavailable,
                    fmt::format("the server of {} {}{}{}{}", end.model, HowItEnded(end),
                                WhenItEnded(end), said, LastLines(end)),
                    SeeTheLog("server_failed", end.model));
}

Status CannotLaunch(std::string_view model, const Status& why) {
  const Status status = Annotate(why, fmt::format("cannot start the server of {}", model));
  if (why.code() == StatusCode::kResourceExhausted) return status;
  return MakeStatus(StatusCode::kUnavailable, Message(status), SeeTheLog("server_failed", model));
}

Status StartTimedOut(const ServerEnd& end, std::chrono::seconds limit) {
  return MakeStatus(StatusCode::kDeadlineExceeded,
                    fmt::format("the server of {} was not ready after {} s and was ended{}",
                                end.model, limit.count(), LastLines(end)),
                    SeeTheLog("server_start_timeout", end.model));
}

Status StoppedBeforeReady(std::string_view model) {
  return MakeStatus(StatusCode::kCancelled,
                    fmt::format("the server of {} was stopped before it was ready", model),
                    {.code = "server_stopped",
                     .next_step = fmt::format("Start it again: llmctl start {}", model)});
}

Status StopTimedOut(std::string_view model, int64_t pid) {
  return MakeStatus(
      StatusCode::kDeadlineExceeded,
      fmt::format("the server of {} (process {}) could not be ended, not even by force", model,
                  pid),
      {.code = "server_stop_timeout",
       .next_step = "It may hang in a device driver: look at the system's log."});
}

std::string FirstLine(std::string_view message) {
  return std::string(message.substr(0, message.find('\n')));
}

}  // namespace llmd::supervisor
