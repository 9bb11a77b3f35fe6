// A Status as HTTP shows it: status code and OpenAI's error body, with our stable code and next
// step in it. Pure functions.
#pragma once

#include <string>

#include "base/status.h"

namespace llmd::gateway {

// Decided by the error's code where that has a meaning in HTTP, else by the status code.
int HttpStatusOf(const Status& status);

// {"error": {"message", "type", "code", "param": null, "next_step"}}, without a line break. Invalid
// UTF-8 in the message is replaced.
std::string ErrorBody(const Status& status);

// The same for an error that has its HTTP status already.
std::string ErrorBody(int http_status, const std::string& message, const ErrorInfo& info);

// The same as the data of a server-sent event: "data: {...}\n\n".
std::string ErrorEvent(const Status& status);

// What "Retry-After" should say; 0 when trying again does not help.
int RetryAfterSeconds(const Status& status);

// The errors of this folder, in one place.
Status BadRequest(std::string code, std::string_view message, std::string next_step = {});

}  // namespace llmd::gateway
