#include "lib/exit_code.h"

#include <array>
#include <string_view>
#include <utility>

namespace llmd::client {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 28> kByCode = {{
    {"not_installable", kImpossibleHere},
    {"does_not_fit", kImpossibleHere},
    {"disk_full", kImpossibleHere},
    {"not_a_model", kNotAModel},
    {"unsafe_path", kNotAModel},
    {"too_many_files", kNotAModel},
    {"lfs_pointer", kNotAModel},
    {"broken_link", kNotAModel},
    {"repository_not_found", kUnreachable},
    {"revision_not_found", kUnreachable},
    {"repository_disabled", kUnreachable},
    {"gated", kUnreachable},
    {"gated_needs_token", kUnreachable},
    {"invalid_token", kUnreachable},
    {"access_denied", kUnreachable},
    {"not_cached", kUnreachable},
    {"offline", kUnreachable},
    {"unsafe_redirect", kUnreachable},
    {"tls_untrusted", kUnreachable},
    {"file_not_found", kUnreachable},
    {"hub_unreachable", kUnreachable},
    {"hub_error", kUnreachable},
    {"rate_limited", kUnreachable},
    {"index_unreachable", kUnreachable},
    {"daemon_unreachable", kNoDaemon},
    {"daemon_not_started", kNoDaemon},
    {"job_cancelled", kJobFailed},
    {"interrupted", kInterrupted},
}};

}  // namespace

int ExitCodeFor(const Status& status) {
  const std::string code = GetErrorInfo(status).code;
  for (const auto& [name, exit] : kByCode) {
    if (name == code) return exit;
  }
  switch (status.code()) {
    case StatusCode::kOk: return kDone;
    case StatusCode::kCancelled: return kInterrupted;
    case StatusCode::kAborted: return kJobFailed;  // what a failed job ends in
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition: return kUsage;
    default: return kInternalError;
  }
}

}  // namespace llmd::client
