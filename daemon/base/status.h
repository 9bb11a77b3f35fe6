// Errors: absl::Status everywhere below the edges, built and printed through this header only.
//
// Debian's Abseil has its own string_view, so messages are formatted with fmt here and all of our
// headers use std types. A status may carry an ErrorInfo: a stable code and a next step, which the
// three edges (gRPC, HTTP, command line) show unchanged.
//
// What a code means here:
//   kNotFound            no such model, job, file
//   kAlreadyExists       name or folder taken
//   kInvalidArgument     the user's input is wrong
//   kFailedPrecondition  wrong state
//   kPermissionDenied    gated, bad token
//   kUnauthenticated     no token given
//   kResourceExhausted   memory, disk, a limit
//   kUnavailable         try again later
//   kDeadlineExceeded    took too long
//   kCancelled           somebody asked
//   kDataLoss            checksum mismatch
//   kUnimplemented       not supported here
//   kInternal            our fault
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace llmd {

using Status = absl::Status;
using StatusCode = absl::StatusCode;
template <typename T>
using StatusOr = absl::StatusOr<T>;

// What a user or program can act on, beside the message.
struct ErrorInfo {
  std::string code;       // stable, snake_case, such as "repository_not_found"
  std::string next_step;  // one sentence; may be empty
};

inline Status OkStatus() { return absl::OkStatus(); }

// The message of a status as a std::string.
std::string Message(const Status& status);

// Builds a status whose message is `message`. `code` must not be kOk.
Status MakeStatus(StatusCode code, std::string_view message);

// The same with an ErrorInfo attached.
Status MakeStatus(StatusCode code, std::string_view message, ErrorInfo info);

// Returns `status` with an ErrorInfo attached; an OK status is returned unchanged, an info that is
// there already is replaced.
Status WithInfo(Status status, ErrorInfo info);

// The attached ErrorInfo. Without one, the code is derived from the status code ("not_found", ...)
// and the next step is empty.
ErrorInfo GetErrorInfo(const Status& status);

// Prepends `context` and ": " to the message; code and ErrorInfo stay.
Status Annotate(const Status& status, std::string_view context);

// The snake_case name of a status code, such as "not_found".
std::string_view StatusCodeName(StatusCode code);

// Builders: InvalidArgument("port '{}' is not a number", text).
#define LLMD_DEFINE_STATUS_BUILDER_(NAME)                                                     \
  template <typename... Args>                                                                 \
  Status NAME(fmt::format_string<Args...> format, Args&&... args) {                           \
    return MakeStatus(StatusCode::k##NAME, fmt::format(format, std::forward<Args>(args)...)); \
  }
LLMD_DEFINE_STATUS_BUILDER_(NotFound)
LLMD_DEFINE_STATUS_BUILDER_(AlreadyExists)
LLMD_DEFINE_STATUS_BUILDER_(InvalidArgument)
LLMD_DEFINE_STATUS_BUILDER_(FailedPrecondition)
LLMD_DEFINE_STATUS_BUILDER_(PermissionDenied)
LLMD_DEFINE_STATUS_BUILDER_(Unauthenticated)
LLMD_DEFINE_STATUS_BUILDER_(ResourceExhausted)
LLMD_DEFINE_STATUS_BUILDER_(Unavailable)
LLMD_DEFINE_STATUS_BUILDER_(DeadlineExceeded)
LLMD_DEFINE_STATUS_BUILDER_(DataLoss)
LLMD_DEFINE_STATUS_BUILDER_(Unimplemented)
LLMD_DEFINE_STATUS_BUILDER_(Internal)
#undef LLMD_DEFINE_STATUS_BUILDER_

inline Status Cancelled() { return MakeStatus(StatusCode::kCancelled, "cancelled"); }

// "what: strerror(errno)" with the fitting code: ENOENT is kNotFound, ENOSPC kResourceExhausted
// (code "disk_full"), EACCES kPermissionDenied, all else kInternal.
Status ErrnoStatus(int error, std::string_view what);

}  // namespace llmd

#define LLMD_STATUS_CONCAT_INNER_(a, b) a##b
#define LLMD_STATUS_CONCAT_(a, b) LLMD_STATUS_CONCAT_INNER_(a, b)

// Returns from the calling function when `expr` is not OK.
#define LLMD_RETURN_IF_ERROR(expr)                                  \
  do {                                                              \
    if (::llmd::Status llmd_status_ = (expr); !llmd_status_.ok()) { \
      return llmd_status_;                                          \
    }                                                               \
  } while (false)

// LLMD_ASSIGN_OR_RETURN(auto x, F()): assigns the value or returns the status.
#define LLMD_ASSIGN_OR_RETURN(lhs, expr) \
  LLMD_ASSIGN_OR_RETURN_IMPL_(LLMD_STATUS_CONCAT_(llmd_statusor_, __LINE__), lhs, expr)
#define LLMD_ASSIGN_OR_RETURN_IMPL_(statusor, lhs, expr)   \
  auto statusor = (expr);                                  \
  if (!statusor.ok()) return std::move(statusor).status(); \
  lhs = std::move(statusor).value()
