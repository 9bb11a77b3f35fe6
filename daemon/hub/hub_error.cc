#include "hub/hub_error.h"

#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "domain/file_inventory.h"
#include "domain/names.h"
#include "hub/retry.h"

namespace llmd::hub {
namespace {

constexpr size_t kMaxSentence = 300;

// What the server says itself: header, else the JSON body's "error".
std::string ServersWords(const HttpResponse& response) {
  std::string text = response.Header("x-error-message");
  if (text.empty()) {
    const auto json = ParseJson(response.body, "answer", {.max_bytes = 64u << 10});
    if (json.ok() && json->is_object() && json->contains("error") && (*json)["error"].is_string()) {
      text = (*json)["error"].get<std::string>();
    }
  }
  return SanitizeForTerminal(text.substr(0, kMaxSentence));
}

Status Gated(const Subject& subject, std::string_view words) {
  const std::string page = fmt::format("{}/{}", subject.endpoint, subject.repo_id);
  const std::string detail = words.empty() ? "" : fmt::format(" ({})", words);
  if (!subject.has_token) {
    return MakeStatus(StatusCode::kUnauthenticated,
                      fmt::format("{} is gated and no token was given{}", subject.repo_id, detail),
                      {.code = "gated_needs_token",
                       .next_step = fmt::format(
                           "Accept the licence at {} and pass a token: HF_TOKEN=hf_...", page)});
  }
  return MakeStatus(
      StatusCode::kPermissionDenied,
      fmt::format("{} is gated and this token has no access{}", subject.repo_id, detail),
      {.code = "gated",
       .next_step = fmt::format(
           "Accept the licence at {} with the account that the token belongs to.", page)});
}

Status RepositoryNotFound(const Subject& subject) {
  if (subject.has_token) {
    return MakeStatus(
        StatusCode::kNotFound,
        fmt::format("there is no repository {} on {}, or the token may not see it", subject.repo_id,
                    subject.endpoint),
        {.code = "repository_not_found", .next_step = "Check the spelling of the id."});
  }
  return MakeStatus(
      StatusCode::kNotFound,
      fmt::format("there is no repository {} on {}, or it is private", subject.repo_id,
                  subject.endpoint),
      {.code = "repository_not_found",
       .next_step =
           "Check the spelling of the id; for a private one pass a token: HF_TOKEN=hf_..."});
}

Status InvalidToken(const Subject& subject) {
  return MakeStatus(
      StatusCode::kUnauthenticated, fmt::format("{} does not accept the token", subject.endpoint),
      {.code = "invalid_token",
       .next_step = fmt::format("Make a new one at {}/settings/tokens, or unset HF_TOKEN.",
                                subject.endpoint)});
}

Status FileOrRevision(const Subject& subject, std::string_view code) {
  if (code == "RevisionNotFound") {
    return MakeStatus(StatusCode::kNotFound,
                      fmt::format("{} has no revision '{}'", subject.repo_id, subject.revision),
                      {.code = "revision_not_found",
                       .next_step = "Name a branch, a tag or a full commit id of the repository."});
  }
  return FileNotFound(subject.repo_id, subject.path);
}

}  // namespace

Status FileNotFound(std::string_view repo_id, std::string_view path) {
  return MakeStatus(
      StatusCode::kNotFound,
      fmt::format("{} has no file {}", repo_id, path.empty() ? std::string_view("at all") : path),
      {.code = "file_not_found", .next_step = "Check the revision: another one may have it."});
}

Status FileTooLarge(std::string_view path, int64_t size, size_t max_bytes) {
  return MakeStatus(
      StatusCode::kResourceExhausted,
      fmt::format("{} has {} bytes, more than the {} that are read of such a file", path, size,
                  max_bytes),
      {.code = "file_too_large", .next_step = "Look into the file: it is not what its name says."});
}

Status TooManyFiles(std::string_view what) {
  return MakeStatus(
      StatusCode::kResourceExhausted,
      fmt::format("{} has too many files: at most {} are read", what, kMaxInventoryEntries),
      {.code = "too_many_files", .next_step = "Put the model into a repository of its own."});
}

Status RepositoryDisabled(std::string_view repo_id) {
  return MakeStatus(StatusCode::kPermissionDenied,
                    fmt::format("{} has been disabled by the Hub", repo_id),
                    {.code = "repository_disabled", .next_step = "Choose another model."});
}

Status UnsafeRedirect(std::string_view message) {
  return MakeStatus(
      StatusCode::kFailedPrecondition, message,
      {.code = "unsafe_redirect", .next_step = "Check the endpoint: HF_ENDPOINT or hub.endpoint."});
}

Status HubError(std::string_view message) {
  return MakeStatus(StatusCode::kUnavailable, message,
                    {.code = "hub_error", .next_step = "Try again in some minutes."});
}

Status ErrorFromAnswer(const HttpResponse& response, const Subject& subject) {
  const std::string code = response.Header("x-error-code");
  const std::string words = ServersWords(response);
  if (code == "RevisionNotFound" || code == "EntryNotFound") return FileOrRevision(subject, code);
  if (code == "GatedRepo") return Gated(subject, words);
  if (words == "Access to this resource is disabled.") {
    return RepositoryDisabled(subject.repo_id);
  }
  if (code == "RepoNotFound") return RepositoryNotFound(subject);
  // The Hub answers 401 for what is missing, too; only these words mean the token.
  if (response.status == 401 && words.find("Invalid credentials") != std::string::npos) {
    return InvalidToken(subject);
  }
  if (response.status == 401 || (response.status == 404 && subject.path.empty())) {
    return RepositoryNotFound(subject);
  }
  if (response.status == 404) return FileOrRevision(subject, "EntryNotFound");
  if (response.status == 403) {
    return MakeStatus(StatusCode::kPermissionDenied,
                      fmt::format("{} refuses access to {}{}{}", subject.endpoint, subject.repo_id,
                                  words.empty() ? "" : ": ", words),
                      {.code = "access_denied", .next_step = "Check what the token may read."});
  }
  if (response.status == 429) {
    return MakeStatus(StatusCode::kUnavailable,
                      fmt::format("{} refuses more requests for now", subject.endpoint),
                      {.code = "rate_limited",
                       .next_step = "Try again in some minutes; a token has a larger quota."});
  }
  const std::string sentence = fmt::format(
      "{} answered {} for {}{}{}{}{}", subject.endpoint, response.status, subject.repo_id,
      subject.path.empty() ? "" : "/", subject.path, words.empty() ? "" : ": ", words);
  if (IsRetryableHttpStatus(response.status)) return HubError(sentence);
  // Asking again would change nothing.
  return MakeStatus(StatusCode::kFailedPrecondition, sentence,
                    {.code = "hub_error", .next_step = "Check the endpoint: HF_ENDPOINT."});
}

}  // namespace llmd::hub
