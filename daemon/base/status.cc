#include "base/status.h"

#include <absl/strings/cord.h>

#include <cerrno>
#include <cstring>

namespace llmd {
namespace {

constexpr char kInfoUrl[] = "llmd.error_info";

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string Message(const Status& status) {
  return std::string(status.message().data(), status.message().size());
}

Status MakeStatus(StatusCode code, std::string_view message) {
  return Status(code, ToAbsl(message));
}

Status MakeStatus(StatusCode code, std::string_view message, ErrorInfo info) {
  return WithInfo(MakeStatus(code, message), std::move(info));
}

Status WithInfo(Status status, ErrorInfo info) {
  if (status.ok()) return status;
  // A newline separates the two: codes are identifiers and never contain one.
  status.SetPayload(kInfoUrl, absl::Cord(info.code + "\n" + info.next_step));
  return status;
}

ErrorInfo GetErrorInfo(const Status& status) {
  if (auto payload = status.GetPayload(kInfoUrl)) {
    const std::string text(*payload);
    const size_t split = text.find('\n');
    return {.code = text.substr(0, split),
            .next_step = split == std::string::npos ? "" : text.substr(split + 1)};
  }
  return {.code = std::string(StatusCodeName(status.code())), .next_step = ""};
}

Status Annotate(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  Status annotated = MakeStatus(status.code(), fmt::format("{}: {}", context, Message(status)));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return "ok";
    case StatusCode::kCancelled: return "cancelled";
    case StatusCode::kInvalidArgument: return "invalid_argument";
    case StatusCode::kDeadlineExceeded: return "deadline_exceeded";
    case StatusCode::kNotFound: return "not_found";
    case StatusCode::kAlreadyExists: return "already_exists";
    case StatusCode::kPermissionDenied: return "permission_denied";
    case StatusCode::kResourceExhausted: return "resource_exhausted";
    case StatusCode::kFailedPrecondition: return "failed_precondition";
    case StatusCode::kAborted: return "aborted";
    case StatusCode::kOutOfRange: return "out_of_range";
    case StatusCode::kUnimplemented: return "unimplemented";
    case StatusCode::kInternal: return "internal";
    case StatusCode::kUnavailable: return "unavailable";
    case StatusCode::kDataLoss: return "data_loss";
    case StatusCode::kUnauthenticated: return "unauthenticated";
    default: return "unknown";
  }
}

Status ErrnoStatus(int error, std::string_view what) {
  const std::string message = fmt::format("{}: {}", what, std::strerror(error));
  switch (error) {
    case ENOENT: return MakeStatus(StatusCode::kNotFound, message);
    case EEXIST: return MakeStatus(StatusCode::kAlreadyExists, message);
    case EACCES:
    case EPERM:
    case EROFS: return MakeStatus(StatusCode::kPermissionDenied, message);
    case ENOSPC:
    case EDQUOT:
      return MakeStatus(StatusCode::kResourceExhausted, message,
                        {.code = "disk_full", .next_step = "Free disk space, then try again."});
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE: return MakeStatus(StatusCode::kUnavailable, message);
    default: return MakeStatus(StatusCode::kInternal, message);
  }
}

}  // namespace llmd
