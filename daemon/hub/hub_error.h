// Turns the Hub's refusals into typed errors with a sentence and a next step. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "hub/http_transport.h"

namespace llmd::hub {

// What was asked for, for the message.
struct Subject {
  std::string endpoint;
  std::string repo_id;
  std::string revision;  // empty when it does not matter
  std::string path;      // empty when it is not about one file
  bool has_token = false;
};

// For an answer that is neither 2xx nor 3xx.
Status ErrorFromAnswer(const HttpResponse& response, const Subject& subject);

// kNotFound, code "file_not_found". An empty path: the repository has no file at all.
Status FileNotFound(std::string_view repo_id, std::string_view path);
// kResourceExhausted, code "file_too_large".
Status FileTooLarge(std::string_view path, int64_t size, size_t max_bytes);
// kResourceExhausted, code "too_many_files". `what` has them: a repository's id, a folder.
Status TooManyFiles(std::string_view what);
// kPermissionDenied, code "repository_disabled".
Status RepositoryDisabled(std::string_view repo_id);
// kFailedPrecondition, code "unsafe_redirect".
Status UnsafeRedirect(std::string_view message);

// An answer that makes no sense: kUnavailable, code "hub_error".
Status HubError(std::string_view message);

}  // namespace llmd::hub
