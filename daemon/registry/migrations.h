// Schema versions: numbered SQL files, compiled in, applied in order. PRAGMA user_version holds the
// number of the last one. Private to registry/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace SQLite {
class Database;
}

namespace llmd::registry {

struct Migration {
  int version = 0;
  std::string_view name;
  const char* sql = "";
};

// Generated from migrations/*.sql: versions 1, 2, 3, ...
const std::vector<Migration>& AllMigrations();

// The file's version, 0 for a new one. kFailedPrecondition (code "registry_too_new") when it is
// past the last migration; kDataLoss when it is nonsense or the file is no registry.
StatusOr<int> SchemaVersion(SQLite::Database& database, const std::vector<Migration>& migrations);

// Brings the schema up to date, each step in a transaction of its own. Before the first step the
// file is copied to <path>.backup-v<version>, unless it is new.
Status Migrate(SQLite::Database& database, const std::string& path,
               const std::vector<Migration>& migrations);

}  // namespace llmd::registry
