#include "gateway/openai_error.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace llmd::gateway {
namespace {

struct CodeRow {
  std::string_view code;
  int status;
  int retry_after;
};

// Codes whose HTTP status says more than the status code does.
constexpr CodeRow kCodes[] = {
    {"bad_answer", 502, 0},
    {"body_too_large", 413, 0},
    {"does_not_fit", 503, 0},
    {"foreign_host", 421, 0},
    {"foreign_origin", 403, 0},
    {"head_too_large", 431, 0},
    {"length_required", 411, 0},
    {"method_not_allowed", 405, 0},
    {"model_loading", 503, 5},
    {"request_timeout", 408, 0},
    {"server_failed", 503, 0},
    {"shutting_down", 503, 5},
    {"too_busy", 503, 1},
    {"unsupported_expectation", 417, 0},
    {"unsupported_media_type", 415, 0},
    {"upstream_crashed", 502, 1},
    {"upstream_timeout", 504, 1},
};

const CodeRow* FindCode(std::string_view code) {
  const auto* at = std::find_if(std::begin(kCodes), std::end(kCodes),
                                [code](const CodeRow& row) { return row.code == code; });
  return at == std::end(kCodes) ? nullptr : at;
}

int StatusOfCode(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange: return 400;
    case StatusCode::kUnauthenticated: return 401;
    case StatusCode::kPermissionDenied: return 403;
    case StatusCode::kNotFound: return 404;
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kAborted: return 409;
    case StatusCode::kCancelled: return 499;
    case StatusCode::kUnimplemented: return 501;
    case StatusCode::kResourceExhausted:
    case StatusCode::kUnavailable: return 503;
    case StatusCode::kDeadlineExceeded: return 504;
    default: return 500;
  }
}

std::string_view TypeOf(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

}  // namespace

int HttpStatusOf(const Status& status) {
  const CodeRow* row = FindCode(GetErrorInfo(status).code);
  return row != nullptr ? row->status : StatusOfCode(status.code());
}

std::string ErrorBody(const Status& status) {
  return ErrorBody(HttpStatusOf(status), Message(status), GetErrorInfo(status));
}

std::string ErrorBody(int http_status, const std::string& message, const ErrorInfo& info) {
  const nlohmann::json body = {{"error",
                                {{"message", message},
                                 {"type", TypeOf(http_status)},
                                 {"code", info.code},
                                 {"param", nullptr},
                                 {"next_step", info.next_step}}}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string ErrorEvent(const Status& status) { return "data: " + ErrorBody(status) + "\n\n"; }

int RetryAfterSeconds(const Status& status) {
  if (const CodeRow* row = FindCode(GetErrorInfo(status).code)) return row->retry_after;
  return status.code() == StatusCode::kUnavailable ? 1 : 0;
}

Status BadRequest(std::string code, std::string_view message, std::string next_step) {
  return MakeStatus(StatusCode::kInvalidArgument, message,
                    {.code = std::move(code), .next_step = std::move(next_step)});
}

}  // namespace llmd::gateway
