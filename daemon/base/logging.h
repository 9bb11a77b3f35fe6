// Logging: one JSON object a line, to $LLMD_HOME/logs/llmd.log and stderr. spdlog stays in the .cc.
// Before InitLogging, and in programs that never call it, warnings and errors go to stderr.
// Thread-safe. Never log a token, a prompt or an answer.
//
//   Log("jobs").Info("job started", {{"job", id}, {"model", name}});
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace llmd {

using LogField = std::pair<std::string_view, std::string>;
using LogFields = std::initializer_list<LogField>;

enum class LogLevel { kDebug, kInfo, kWarn, kError };

class Log {
 public:
  // `module` is the folder the line comes from; it must outlive the object (use a literal).
  explicit Log(std::string_view module) : module_(module) {}

  void Debug(std::string_view message, LogFields fields = {}) const;
  void Info(std::string_view message, LogFields fields = {}) const;
  void Warn(std::string_view message, LogFields fields = {}) const;
  void Error(std::string_view message, LogFields fields = {}) const;

 private:
  void Write(LogLevel level, std::string_view message, LogFields fields) const;
  std::string_view module_;
};

struct LogOptions {
  std::filesystem::path file;  // empty: no file
  LogLevel level = LogLevel::kInfo;
  bool to_stderr = true;
};

// Opens the log: 16 MiB a file, three kept. Call once, from main.
Status InitLogging(const LogOptions& options);
void FlushLogs();

}  // namespace llmd
