#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "base/logging.h"
#include "registry/sqlite_registry.h"

namespace llmd::registry {

const char kModelColumns[] =
    "name, folder_name, state, engine, installed_at, bytes_on_disk, memory_bytes, profile";
const char kServerColumns[] =
    "folder_name, model, state, engine, pid, endpoint, reserved_bytes, started_at, last_used_at, "
    "reason";

int64_t ToMicroseconds(WallTime time) { return time.time_since_epoch().count(); }
WallTime FromMicroseconds(int64_t microseconds) {
  return WallTime(WallTime::duration(microseconds));
}
std::string ToText(std::string_view text) { return std::string(text); }

namespace {

using nlohmann::json;

constexpr JsonLimits kProfileLimits{.max_bytes = 64u << 20, .max_nodes = 2'000'000};

std::string ProfileText(const ModelProfile& profile) {
  return ProfileToJson(profile).dump(-1, ' ', false, json::error_handler_t::replace);
}

StatusOr<ModelProfile> ParseProfile(const std::string& text) {
  LLMD_ASSIGN_OR_RETURN(const json object,
                        ParseJson(text, "the registry's profile", kProfileLimits));
  return ProfileFromJson(object);
}

// A row whose profile cannot be read is a broken model: its folder knows better.
ModelRecord ReadModel(SQLite::Statement& row) {
  ModelRecord model{
      .name = row.getColumn(0).getString(),
      .folder_name = row.getColumn(1).getString(),
      .state = ModelStateFromString(row.getColumn(2).getString()).value_or(ModelState::kBroken),
      .engine = row.getColumn(3).getString(),
      .installed_at = FromMicroseconds(row.getColumn(4).getInt64()),
      .bytes_on_disk = row.getColumn(5).getInt64(),
      .memory_bytes = row.getColumn(6).getInt64()};
  StatusOr<ModelProfile> profile = ParseProfile(row.getColumn(7).getString());
  if (profile.ok()) {
    model.profile = *std::move(profile);
  } else {
    Log("registry")
        .Warn("a model's record cannot be read",
              {{"model", model.name}, {"why", Message(profile.status())}});
    model.state = ModelState::kBroken;
  }
  return model;
}

std::optional<WallTime> ReadTime(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return FromMicroseconds(column.getInt64());
}

void BindTime(SQLite::Statement& statement, int index, const std::optional<WallTime>& time) {
  if (time) {
    statement.bind(index, ToMicroseconds(*time));
  } else {
    statement.bind(index);
  }
}

Status Taken(std::string_view alias, const std::string& owner) {
  return MakeStatus(StatusCode::kAlreadyExists,
                    fmt::format("'{}' is taken by the model {}", alias, owner),
                    {.code = "alias_taken", .next_step = "Choose another alias."});
}

}  // namespace

Status SqliteRegistry::PutModel(const ModelRecord& model) {
  return Write([&]() -> Status {
    SQLite::Statement folder =
        Prepare("SELECT name FROM model WHERE folder_name = ? AND name <> ?");
    folder.bind(1, model.folder_name);
    folder.bind(2, model.name);
    if (folder.executeStep()) {
      return MakeStatus(StatusCode::kAlreadyExists,
                        fmt::format("the folder {} belongs to {}", model.folder_name,
                                    folder.getColumn(0).getString()),
                        {.code = "folder_taken", .next_step = ""});
    }
    SQLite::Statement alias = Prepare("DELETE FROM alias WHERE alias = ?");
    alias.bind(1, model.name);
    alias.exec();
    SQLite::Statement put = Prepare(fmt::format(
        "INSERT INTO model ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
        "folder_name = excluded.folder_name, state = excluded.state, engine = excluded.engine, "
        "installed_at = excluded.installed_at, bytes_on_disk = excluded.bytes_on_disk, "
        "memory_bytes = excluded.memory_bytes, profile = excluded.profile",
        kModelColumns));
    put.bind(1, model.name);
    put.bind(2, model.folder_name);
    put.bind(3, ToText(ToString(model.state)));
    put.bind(4, model.engine);
    put.bind(5, ToMicroseconds(model.installed_at));
    put.bind(6, model.bytes_on_disk);
    put.bind(7, model.memory_bytes);
    put.bind(8, ProfileText(model.profile));
    put.exec();
    return OkStatus();
  });
}

std::vector<std::string> SqliteRegistry::AliasesOf(const std::string& model) {
  SQLite::Statement rows = Prepare("SELECT alias FROM alias WHERE model = ? ORDER BY alias");
  rows.bind(1, model);
  std::vector<std::string> aliases;
  while (rows.executeStep()) aliases.push_back(rows.getColumn(0).getString());
  return aliases;
}

StatusOr<ModelRecord> SqliteRegistry::GetModel(std::string_view name) {
  return Read([&]() -> StatusOr<ModelRecord> {
    SQLite::Statement row =
        Prepare(fmt::format("SELECT {} FROM model WHERE name = ?", kModelColumns));
    row.bind(1, ToText(name));
    if (!row.executeStep()) {
      return MakeStatus(StatusCode::kNotFound, fmt::format("no model is called '{}'", name),
                        {.code = "model_not_found", .next_step = ""});
    }
    ModelRecord model = ReadModel(row);
    model.aliases = AliasesOf(model.name);
    return model;
  });
}

StatusOr<std::vector<ModelRecord>> SqliteRegistry::ListModels() {
  return Read([&]() -> StatusOr<std::vector<ModelRecord>> {
    SQLite::Statement rows =
        Prepare(fmt::format("SELECT {} FROM model ORDER BY name", kModelColumns));
    std::vector<ModelRecord> models;
    while (rows.executeStep()) {
      models.push_back(ReadModel(rows));
      models.back().aliases = AliasesOf(models.back().name);
    }
    return models;
  });
}

Status SqliteRegistry::RemoveModel(std::string_view name) {
  return Write([&] {
    SQLite::Statement remove = Prepare("DELETE FROM model WHERE name = ?");
    remove.bind(1, ToText(name));
    remove.exec();
    return OkStatus();
  });
}

Status SqliteRegistry::SetAlias(std::string_view alias, std::string_view model) {
  return Write([&]() -> Status {
    SQLite::Statement owner = Prepare(
        "SELECT name FROM model WHERE name = ?1 UNION ALL "
        "SELECT model FROM alias WHERE alias = ?1 AND model <> ?2");
    owner.bind(1, ToText(alias));
    owner.bind(2, ToText(model));
    if (owner.executeStep()) return Taken(alias, owner.getColumn(0).getString());
    SQLite::Statement known = Prepare("SELECT 1 FROM model WHERE name = ?");
    known.bind(1, ToText(model));
    if (!known.executeStep()) {
      return MakeStatus(StatusCode::kNotFound, fmt::format("no model is called '{}'", model),
                        {.code = "model_not_found", .next_step = ""});
    }
    SQLite::Statement put = Prepare("INSERT OR REPLACE INTO alias (alias, model) VALUES (?, ?)");
    put.bind(1, ToText(alias));
    put.bind(2, ToText(model));
    put.exec();
    return OkStatus();
  });
}

Status SqliteRegistry::RemoveAlias(std::string_view alias) {
  return Write([&] {
    SQLite::Statement remove = Prepare("DELETE FROM alias WHERE alias = ?");
    remove.bind(1, ToText(alias));
    remove.exec();
    return OkStatus();
  });
}

Status SqliteRegistry::PutServer(const ServerRecord& server) {
  return Write([&] {
    SQLite::Statement put = Prepare(
        fmt::format("INSERT OR REPLACE INTO server ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    kServerColumns));
    put.bind(1, server.folder_name);
    put.bind(2, server.model);
    put.bind(3, ToText(ToString(server.state)));
    put.bind(4, server.engine);
    put.bind(5, server.pid);
    put.bind(6, server.endpoint);
    put.bind(7, server.reserved_bytes);
    BindTime(put, 8, server.started_at);
    BindTime(put, 9, server.last_used_at);
    put.bind(10, server.reason);
    put.exec();
    return OkStatus();
  });
}

Status SqliteRegistry::RemoveServer(std::string_view folder_name) {
  return Write([&] {
    SQLite::Statement remove = Prepare("DELETE FROM server WHERE folder_name = ?");
    remove.bind(1, ToText(folder_name));
    remove.exec();
    return OkStatus();
  });
}

StatusOr<std::vector<ServerRecord>> SqliteRegistry::ListServers() {
  return Read([&]() -> StatusOr<std::vector<ServerRecord>> {
    SQLite::Statement row =
        Prepare(fmt::format("SELECT {} FROM server ORDER BY folder_name", kServerColumns));
    std::vector<ServerRecord> servers;
    while (row.executeStep()) {
      servers.push_back(
          {.model = row.getColumn(1).getString(),
           .folder_name = row.getColumn(0).getString(),
           .state =
               ServerStateFromString(row.getColumn(2).getString()).value_or(ServerState::kFailed),
           .engine = row.getColumn(3).getString(),
           .pid = row.getColumn(4).getInt64(),
           .endpoint = row.getColumn(5).getString(),
           .reserved_bytes = row.getColumn(6).getInt64(),
           .started_at = ReadTime(row.getColumn(7)),
           .last_used_at = ReadTime(row.getColumn(8)),
           .reason = row.getColumn(9).getString()});
    }
    return servers;
  });
}

}  // namespace llmd::registry
