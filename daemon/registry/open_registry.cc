#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "base/logging.h"
#include "registry/migrations.h"
#include "registry/sqlite_registry.h"

namespace llmd::registry {
namespace {

// kDataLoss when the file is damaged.
StatusOr<std::unique_ptr<Registry>> OpenSound(const std::string& path) {
  LLMD_ASSIGN_OR_RETURN(std::unique_ptr<SQLite::Database> database, OpenDatabase(path));
  LLMD_RETURN_IF_ERROR(SchemaVersion(*database, AllMigrations()).status());
  LLMD_RETURN_IF_ERROR(CheckIntegrity(*database));
  LLMD_RETURN_IF_ERROR(Migrate(*database, path, AllMigrations()));
  auto registry = std::make_unique<SqliteRegistry>(std::move(database));
  LLMD_RETURN_IF_ERROR(registry->Probe());
  return registry;
}

Status MoveIfThere(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return OkStatus();
  return ErrnoStatus(errno, fmt::format("cannot move {} aside", from));
}

// The log goes first: one that stayed would be replayed into the new file.
StatusOr<std::string> MoveAside(const std::string& path) {
  std::string time = FormatTime(SystemClock().Now());
  std::erase(time, ':');
  const std::string aside = path + ".damaged-" + time;
  LLMD_RETURN_IF_ERROR(MoveIfThere(path + "-wal", aside + "-wal"));
  LLMD_RETURN_IF_ERROR(MoveIfThere(path + "-shm", aside + "-shm"));
  LLMD_RETURN_IF_ERROR(MoveIfThere(path, aside));
  LLMD_RETURN_IF_ERROR(SyncFolder(std::filesystem::path(path).parent_path()));
  return aside;
}

}  // namespace

StatusOr<std::unique_ptr<Registry>> OpenSqliteRegistry(const std::string& path, bool* rebuilt) {
  if (rebuilt != nullptr) *rebuilt = false;
  StatusOr<std::unique_ptr<Registry>> registry = OpenSound(path);
  if (registry.ok() || registry.status().code() != StatusCode::kDataLoss) return registry;
  LLMD_ASSIGN_OR_RETURN(const std::string aside, MoveAside(path));
  Log("registry")
      .Warn("the registry was damaged; a new one is begun",
            {{"why", Message(registry.status())}, {"kept", aside}});
  registry = OpenSound(path);
  if (registry.ok() && rebuilt != nullptr) *rebuilt = true;
  return registry;
}

}  // namespace llmd::registry
