#include "base/logging.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/utf8.h"

namespace llmd {
namespace {

constexpr size_t kMaxFileBytes = 16u << 20;
constexpr size_t kKeptFiles = 3;

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "DEBUG";
    case LogLevel::kInfo: return "INFO";
    case LogLevel::kWarn: return "WARN";
    case LogLevel::kError: return "ERROR";
  }
  return "INFO";
}

// JSON string escaping; what is not UTF-8 becomes U+FFFD, so that every line can be read.
void AppendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeUtf8(text, at);
    const char c = text[at];
    if (point.length == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += text.substr(at, point.length);
    }
    at += std::max<size_t>(point.length, 1);
  }
  out.push_back('"');
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> fallback = [] {
    auto logger =
        std::make_shared<spdlog::logger>("llmd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::warn);
    return logger;
  }();
  const auto configured = spdlog::get("llmd");
  return configured ? *configured : *fallback;
}

}  // namespace

void Log::Debug(std::string_view message, LogFields fields) const {
  Write(LogLevel::kDebug, message, fields);
}
void Log::Info(std::string_view message, LogFields fields) const {
  Write(LogLevel::kInfo, message, fields);
}
void Log::Warn(std::string_view message, LogFields fields) const {
  Write(LogLevel::kWarn, message, fields);
}
void Log::Error(std::string_view message, LogFields fields) const {
  Write(LogLevel::kError, message, fields);
}

void Log::Write(LogLevel level, std::string_view message, LogFields fields) const {
  spdlog::logger& logger = Logger();
  if (!logger.should_log(ToSpdlog(level))) return;
  std::string line = fmt::format("{{\"ts\":\"{}\",\"level\":\"{}\",\"module\":\"{}\",\"msg\":",
                                 FormatTime(SystemClock().Now()), LevelName(level), module_);
  AppendQuoted(line, message);
  for (const auto& [key, value] : fields) {
    line.push_back(',');
    AppendQuoted(line, key);
    line.push_back(':');
    AppendQuoted(line, value);
  }
  line.push_back('}');
  logger.log(ToSpdlog(level), "{}", line);
}

Status InitLogging(const LogOptions& options) {
  try {
    std::vector<spdlog::sink_ptr> sinks;
    if (options.to_stderr) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    if (!options.file.empty()) {
      sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
          options.file.string(), kMaxFileBytes, kKeptFiles));
    }
    auto logger = std::make_shared<spdlog::logger>("llmd", sinks.begin(), sinks.end());
    logger->set_pattern("%v");
    logger->set_level(ToSpdlog(options.level));
    logger->flush_on(spdlog::level::info);
    spdlog::drop("llmd");
    spdlog::register_logger(logger);
    return OkStatus();
  } catch (const spdlog::spdlog_ex& error) {
    return FailedPrecondition("cannot open the log: {}", error.what());
  }
}

void FlushLogs() { Logger().flush(); }

}  // namespace llmd
