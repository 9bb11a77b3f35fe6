#include "registry/database.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "base/logging.h"

namespace llmd::registry {
namespace {

constexpr int kBusyMilliseconds = 5000;

}  // namespace

Status Damaged(std::string_view why) {
  return MakeStatus(StatusCode::kDataLoss, fmt::format("registry: {}", why),
                    {.code = "registry_damaged", .next_step = ""});
}

Status ToStatus(const SQLite::Exception& error) {
  const std::string message = fmt::format("registry: {}", error.what());
  switch (error.getErrorCode()) {
    case SQLITE_FULL:
      return MakeStatus(StatusCode::kResourceExhausted, message,
                        {.code = "disk_full", .next_step = "Free disk space, then try again."});
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return MakeStatus(
          StatusCode::kUnavailable, message,
          {.code = "registry_busy", .next_step = "End the other program that uses registry.db."});
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return MakeStatus(StatusCode::kDataLoss, message,
                        {.code = "registry_damaged",
                         .next_step = "Restart llmd: it keeps the damaged file and rebuilds it."});
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return MakeStatus(
          StatusCode::kPermissionDenied, message,
          {.code = "registry_read_only", .next_step = "Make LLMD_HOME writable for this user."});
    default:
      return MakeStatus(StatusCode::kInternal, message,
                        {.code = "registry_failed", .next_step = ""});
  }
}

StatusOr<std::unique_ptr<SQLite::Database>> OpenDatabase(const std::string& path) {
  // SQLite's own files beside it take over this mode.
  LLMD_RETURN_IF_ERROR(OpenFile(path, O_RDWR | O_CREAT, 0600).status());
  return Guard([&]() -> StatusOr<std::unique_ptr<SQLite::Database>> {
    auto database =
        std::make_unique<SQLite::Database>(path, SQLite::OPEN_READWRITE, kBusyMilliseconds);
    const std::string mode = database->execAndGet("PRAGMA journal_mode = WAL").getString();
    if (mode != "wal") {
      Log("registry").Warn("the file system does not allow a write-ahead log", {{"mode", mode}});
    }
    database->exec(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
        "PRAGMA cell_size_check = ON;");
    return database;
  });
}

Status CheckIntegrity(SQLite::Database& database) {
  return Guard([&] {
    const std::string found = database.execAndGet("PRAGMA quick_check(1)").getString();
    if (found != "ok") return Damaged(found);
    // A page that is cut short reads as zeros and passes that check. What waits in the log is
    // written out first, so that the file has its whole length; another reader may prevent that.
    if (database.execAndGet("PRAGMA wal_checkpoint(TRUNCATE)").getInt() != 0) return OkStatus();
    const int64_t bytes = database.execAndGet("PRAGMA page_size").getInt64() *
                          database.execAndGet("PRAGMA page_count").getInt64();
    std::error_code error;
    const auto size =
        static_cast<int64_t>(std::filesystem::file_size(database.getFilename(), error));
    if (!error && size != bytes) return Damaged(fmt::format("{} of {} bytes", size, bytes));
    return OkStatus();
  });
}

}  // namespace llmd::registry
