#include "llmctl/session.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace llmd::client {

namespace fs = std::filesystem;

StatusOr<std::string> ResolveRepositoryArgument(const std::string& text) {
  const bool path = text == "." || text == ".." || text.starts_with("./") ||
                    text.starts_with("../") || text.starts_with('/') || text.starts_with("~/");
  if (!path) return text;
  fs::path folder = text;
  if (text.starts_with("~/")) {
    const char* home = std::getenv("HOME");
    folder = fs::path(home == nullptr ? "/" : home) / text.substr(2);
  }
  std::error_code error;
  const fs::path absolute = fs::canonical(folder, error);
  if (!error && fs::is_regular_file(absolute, error)) {
    return MakeStatus(StatusCode::kNotFound, fmt::format("{} is a file, not a folder", text),
                      {.code = "repository_not_found",
                       .next_step = fmt::format("Give the folder it lies in: {}",
                                                absolute.parent_path().string())});
  }
  if (error || !fs::is_directory(absolute, error)) {
    return MakeStatus(StatusCode::kNotFound, fmt::format("there is no folder {}", text),
                      {.code = "repository_not_found",
                       .next_step = "Give a folder that holds a model, or a repository id such as "
                                    "org/name."});
  }
  return absolute.string();
}

namespace {

// For errors that come without a next step of their own.
std::string UsualNextStep(int exit) {
  switch (exit) {
    case kUsage: return "See: llmctl --help";
    case kInternalError:
    case kNoDaemon: return "See llmd's log: logs/llmd.log in its home.";
    default: return "Try again.";
  }
}

}  // namespace

int PrintError(const Status& status, bool json) {
  const int exit = ExitCodeFor(status);
  ErrorInfo info = GetErrorInfo(status);
  if (info.next_step.empty()) info.next_step = UsualNextStep(exit);
  if (json) {
    const nlohmann::ordered_json object = {{"error",
                                            {{"code", info.code},
                                             {"message", Message(status)},
                                             {"next_step", info.next_step},
                                             {"exit", exit}}}};
    fmt::print("{}", ToJsonText(object));
    return exit;
  }
  if (exit == kInterrupted && status.code() == StatusCode::kCancelled) {
    fmt::print(stderr, "interrupted\n");
    return exit;
  }
  fmt::print(stderr, "error: {} [{}]\n  {}\n", Safe(Message(status)), Safe(info.code),
             Safe(info.next_step));
  return exit;
}

}  // namespace llmd::client
