#include "serving/model_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/logging.h"
#include "domain/names.h"
#include "scaffold/scaffold.h"

namespace llmd::serving {
namespace {

namespace fs = std::filesystem;

Status NotInstalled(std::string_view name) {
  return MakeStatus(
      StatusCode::kNotFound, fmt::format("no installed model is called '{}'", name),
      {.code = "model_not_found", .next_step = "See the installed models with: llmctl list"});
}

StoredModel FromFolder(const scaffold::ModelInfo& info, std::string_view folder_name) {
  StoredModel model;
  model.record = {.name = info.name,
                  // A folder that a person renamed keeps working under its new name.
                  .folder_name = std::string(folder_name),
                  .state = ModelState::kInstalled,
                  .engine = info.launch.engine,
                  .installed_at = info.installed_at,
                  .memory_bytes = info.memory_bytes,
                  .profile = info.profile};
  for (const FileEntry& file : info.files) model.record.bytes_on_disk += file.size;
  model.launch = info.launch;
  return model;
}

const ModelRecord* FindByName(const std::vector<ModelRecord>& records, std::string_view name) {
  const auto at = std::find_if(records.begin(), records.end(),
                               [name](const ModelRecord& record) { return record.name == name; });
  return at == records.end() ? nullptr : &*at;
}

// The part after the slash, in lower case: what a short form is compared with.
std::string ShortForm(std::string_view name) {
  return ToLower(name.substr(name.rfind('/') + 1));  // npos + 1 == 0
}

}  // namespace

ModelStore::ModelStore(registry::Registry& registry, EventStream& events,
                       const platform::HomePaths& home)
    : registry_(registry), events_(events), home_(home) {}

ModelStore::Models ModelStore::ReadFolders(const std::vector<ModelRecord>& known) const {
  std::set<std::string> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home_.models(), error)) {
    const std::string folder = entry.path().filename();
    if (!folder.starts_with('.') && entry.is_directory(error)) folders.insert(folder);
  }
  Models models;
  for (const std::string& folder : folders) {
    const StatusOr<scaffold::ModelInfo> info = scaffold::ReadModelInfo(home_.model(folder));
    if (!info.ok()) {
      Log("serving").Info("folder without a readable model_info.json left alone",
                          {{"folder", folder}, {"why", Message(info.status())}});
      continue;
    }
    const ModelRecord* record = FindByName(known, info->name);
    const std::string expected = record ? record->folder_name : FolderNameFor(info->name);
    const auto other = models.find(info->name);
    if (other != models.end() && folder != expected) {
      Log("serving").Info("second folder of a model left alone",
                          {{"model", info->name}, {"folder", folder}});
      continue;
    }
    models.insert_or_assign(info->name, FromFolder(*info, folder));
  }
  return models;
}

Status ModelStore::Record(const StoredModel& model) {
  LLMD_RETURN_IF_ERROR(registry_.PutModel(model.record));
  for (const std::string& alias : model.record.aliases) {
    LLMD_RETURN_IF_ERROR(registry_.SetAlias(alias, model.record.name));
  }
  return OkStatus();
}

Status ModelStore::Load() {
  LLMD_ASSIGN_OR_RETURN(const std::vector<ModelRecord> known, registry_.ListModels());
  Models models = ReadFolders(known);
  std::set<std::string> taken;
  for (const auto& [name, model] : models) taken.insert(model.record.folder_name);
  std::error_code error;
  for (const ModelRecord& record : known) {
    const auto found = models.find(record.name);
    if (found != models.end()) {
      for (const std::string& alias : record.aliases) {
        if (!models.contains(alias)) found->second.record.aliases.push_back(alias);
      }
      if (found->second.record.folder_name == record.folder_name) continue;
    } else if (!taken.contains(record.folder_name) &&
               fs::exists(home_.model(record.folder_name), error)) {
      models[record.name].record = record;
      models[record.name].record.state = ModelState::kBroken;
      continue;
    }
    // It is gone, or lives in another folder now: its place may be another model's.
    LLMD_RETURN_IF_ERROR(registry_.RemoveModel(record.name));
  }
  for (const auto& [name, model] : models) {
    LLMD_RETURN_IF_ERROR(Record(model));
  }
  MutexLock lock(mutex_);
  models_ = std::move(models);
  aliases_.clear();
  for (const auto& [name, model] : models_) {
    for (const std::string& alias : model.record.aliases) aliases_[alias] = name;
  }
  return OkStatus();
}

Status ModelStore::Adopt(std::string_view folder_name) {
  LLMD_ASSIGN_OR_RETURN(const scaffold::ModelInfo info,
                        scaffold::ReadModelInfo(home_.model(folder_name)));
  return Put(FromFolder(info, folder_name));
}

Status ModelStore::Put(const StoredModel& model) {
  LLMD_RETURN_IF_ERROR(registry_.PutModel(model.record));
  StoredModel stored = model;
  {
    MutexLock lock(mutex_);
    const std::string& name = model.record.name;
    if (const auto alias = aliases_.find(name); alias != aliases_.end()) {
      std::erase(models_[alias->second].record.aliases, name);
      aliases_.erase(alias);
    }
    stored.record.aliases.clear();
    for (const auto& [alias, owner] : aliases_) {
      if (owner == name) stored.record.aliases.push_back(alias);
    }
    models_.insert_or_assign(name, stored);
  }
  events_.Publish(ModelChanged{stored.record});
  return OkStatus();
}

Status ModelStore::SetState(std::string_view name, ModelState state) {
  LLMD_ASSIGN_OR_RETURN(StoredModel model, Get(name));
  model.record.state = state;
  return Put(model);
}

Status ModelStore::Remove(std::string_view name) {
  LLMD_RETURN_IF_ERROR(registry_.RemoveModel(name));
  {
    MutexLock lock(mutex_);
    std::erase_if(aliases_, [name](const auto& alias) { return alias.second == name; });
    if (const auto at = models_.find(name); at != models_.end()) models_.erase(at);
  }
  events_.Publish(ModelRemoved{std::string(name)});
  return OkStatus();
}

Status ModelStore::SetAlias(std::string_view alias, std::string_view model) {
  if (model.empty()) {
    LLMD_RETURN_IF_ERROR(registry_.RemoveAlias(alias));
  } else {
    LLMD_RETURN_IF_ERROR(ValidateRepoId(alias));
    LLMD_RETURN_IF_ERROR(Get(model).status());
    LLMD_RETURN_IF_ERROR(registry_.SetAlias(alias, model));
  }
  ModelRecord changed;
  {
    MutexLock lock(mutex_);
    const auto old = aliases_.find(alias);
    const std::string name(model.empty() && old != aliases_.end() ? old->second
                                                                  : std::string(model));
    if (old != aliases_.end()) aliases_.erase(old);
    const auto at = models_.find(name);
    if (at == models_.end()) return OkStatus();
    std::erase(at->second.record.aliases, alias);
    if (!model.empty()) {
      aliases_[std::string(alias)] = name;
      at->second.record.aliases.emplace_back(alias);
    }
    changed = at->second.record;
  }
  events_.Publish(ModelChanged{changed});
  return OkStatus();
}

std::vector<std::string> ModelStore::Candidates(std::string_view short_name) const {
  std::vector<std::string> names;
  const std::string wanted = ToLower(short_name);
  for (const auto& [name, model] : models_) {
    if (ShortForm(name) == wanted || ToLower(name) == wanted) names.push_back(name);
  }
  return names;
}

StatusOr<StoredModel> ModelStore::Resolve(std::string_view name) const {
  MutexLock lock(mutex_);
  if (const auto at = models_.find(name); at != models_.end()) return at->second;
  if (const auto at = aliases_.find(name); at != aliases_.end()) return models_.at(at->second);
  const std::vector<std::string> candidates = Candidates(name);
  if (candidates.size() == 1) return models_.at(candidates.front());
  if (candidates.empty()) return NotInstalled(name);
  std::string list;
  for (const std::string& candidate : candidates) list += (list.empty() ? "" : ", ") + candidate;
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("'{}' fits more than one model: {}", name, list),
                    {.code = "ambiguous_model", .next_step = "Use the full name."});
}

StatusOr<StoredModel> ModelStore::Get(std::string_view name) const {
  MutexLock lock(mutex_);
  if (const auto at = models_.find(name); at != models_.end()) return at->second;
  return NotInstalled(name);
}

std::vector<ModelRecord> ModelStore::List() const {
  MutexLock lock(mutex_);
  std::vector<ModelRecord> records;
  records.reserve(models_.size());
  for (const auto& [name, model] : models_) records.push_back(model.record);
  return records;
}

std::string ModelStore::FolderFor(std::string_view name) const {
  const std::string plain = FolderNameFor(name);
  MutexLock lock(mutex_);
  if (const auto at = models_.find(name); at != models_.end()) return at->second.record.folder_name;
  // Some file systems take names that differ in case for the same.
  const std::string lower = ToLower(plain);
  for (const auto& [other, model] : models_) {
    if (ToLower(model.record.folder_name) == lower) return OtherFolderNameFor(name);
  }
  return plain;
}

}  // namespace llmd::serving
