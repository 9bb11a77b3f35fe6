// Matchers for what a status says to users: its code and its stable error code.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/status.h"

namespace llmd::testing {

inline Status StatusOf(const Status& status) { return status; }
template <typename T>
Status StatusOf(const StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << Message(StatusOf(arg));
  return StatusOf(arg).ok();
}

// Fails with that status code and that stable error code.
MATCHER_P2(FailsWith, code, name, "") {
  const Status status = StatusOf(arg);
  *result_listener << StatusCodeName(status.code()) << " / " << GetErrorInfo(status).code << " / "
                   << Message(status);
  return status.code() == code && GetErrorInfo(status).code == name;
}

}  // namespace llmd::testing
