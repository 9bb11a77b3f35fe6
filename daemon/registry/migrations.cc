#include "registry/migrations.h"

#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "base/logging.h"
#include "registry/database.h"

namespace llmd::registry {
namespace {

// More than this above ours is a flipped bit rather than a later llmd.
constexpr int kPlausibleStep = 1000;

int UserVersion(SQLite::Database& database) {
  return database.execAndGet("PRAGMA user_version").getInt();
}

// A whole copy, also of what is still in the write-ahead log.
Status BackUp(SQLite::Database& database, const std::string& path, int version) {
  const std::string backup = fmt::format("{}.backup-v{}", path, version);
  const std::string temporary = backup + ".tmp";
  ::unlink(temporary.c_str());
  SQLite::Statement copy(database, "VACUUM INTO ?");
  copy.bind(1, temporary);
  copy.exec();
  if (::rename(temporary.c_str(), backup.c_str()) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot keep {}", backup));
  }
  return SyncFolder(std::filesystem::path(backup).parent_path());
}

}  // namespace

StatusOr<int> SchemaVersion(SQLite::Database& database, const std::vector<Migration>& migrations) {
  return Guard([&]() -> StatusOr<int> {
    const int latest = migrations.empty() ? 0 : migrations.back().version;
    const int version = UserVersion(database);
    if (version < 0 || version > latest + kPlausibleStep) return Damaged("impossible version");
    if (version > latest) {
      return MakeStatus(
          StatusCode::kFailedPrecondition,
          fmt::format("{} was written by a newer llmd (schema {}, this one knows {})",
                      database.getFilename(), version, latest),
          {.code = "registry_too_new",
           .next_step = "Run the newer llmd, or move registry.db away: models are found again from "
                        "their folders."});
    }
    const int tables = database.execAndGet("SELECT count(*) FROM sqlite_master").getInt();
    if (version == 0 && tables > 0) return Damaged("not a registry");
    return version;
  });
}

Status Migrate(SQLite::Database& database, const std::string& path,
               const std::vector<Migration>& migrations) {
  return Guard([&]() -> Status {
    const int begin = UserVersion(database);
    if (migrations.empty() || begin == migrations.back().version) return OkStatus();
    if (begin > 0) LLMD_RETURN_IF_ERROR(BackUp(database, path, begin));
    for (const Migration& migration : migrations) {
      if (migration.version <= begin) continue;
      SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
      database.exec(migration.sql);
      database.exec(fmt::format("PRAGMA user_version = {}", migration.version));
      transaction.commit();
      Log("registry").Info("schema migrated", {{"to", std::string(migration.name)}});
    }
    return OkStatus();
  });
}

}  // namespace llmd::registry
