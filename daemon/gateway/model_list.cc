#include "gateway/model_list.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

#include "gateway/openai_error.h"

namespace llmd::gateway {
namespace {

using nlohmann::json;

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json ToEntry(const ModelRecord& record) {
  const auto created =
      std::chrono::duration_cast<std::chrono::seconds>(record.installed_at.time_since_epoch());
  const std::string owner = record.name.substr(0, record.name.find('/'));
  return {{"id", record.name},           {"object", "model"},
          {"created", created.count()},  {"owned_by", owner == record.name ? "local" : owner},
          {"kind", record.profile.kind}, {"capabilities", record.profile.capabilities},
          {"aliases", record.aliases}};
}

json TimeOrNull(const std::optional<WallTime>& time) {
  return time ? json(FormatTime(*time)) : json(nullptr);
}

json ToServer(const ServerRecord& server) {
  return {{"state", ToString(server.state)},
          {"engine", server.engine},
          {"memory_bytes", server.memory_bytes},
          {"in_flight", server.in_flight},
          {"started_at", TimeOrNull(server.started_at)},
          {"last_used_at", TimeOrNull(server.last_used_at)},
          {"reason", server.reason}};
}

StatusOr<ModelRecord> OnlyModel(serving::ModelRouter& router) {
  std::vector<ModelRecord> models = router.Models();
  if (models.size() == 1) return std::move(models.front());
  return BadRequest("model_missing", "the request names no model",
                    "Add ?model=NAME; GET /v1/models lists the names.");
}

}  // namespace

std::string ModelList(serving::ModelRouter& router) {
  json data = json::array();
  for (const ModelRecord& record : router.Models()) {
    if (record.state == ModelState::kInstalled) data.push_back(ToEntry(record));
  }
  return Dump({{"object", "list"}, {"data", std::move(data)}}) + "\n";
}

std::string ModelEntry(const ModelRecord& record) { return Dump(ToEntry(record)); }

StatusOr<std::string> ModelInfo(serving::ModelRouter& router, const std::string& name) {
  LLMD_ASSIGN_OR_RETURN(const ModelRecord record,
                        name.empty() ? OnlyModel(router) : router.Resolve(name));
  const StatusOr<ServerRecord> server = router.Server(record.name);
  const json body = {{"model", record.name},
                     {"state", ToString(record.state)},
                     {"engine", record.engine},
                     {"installed_at", FormatTime(record.installed_at)},
                     {"bytes_on_disk", record.bytes_on_disk},
                     {"memory_bytes", record.memory_bytes},
                     {"aliases", record.aliases},
                     {"server", server.ok() ? ToServer(*server) : json(nullptr)},
                     {"profile", ProfileToJson(record.profile)}};
  return Dump(body) + "\n";
}

}  // namespace llmd::gateway
