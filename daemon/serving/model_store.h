// ModelStore: the installed models, in memory for whoever must not block, in the registry and the
// model folders for good. Thread-safe. Reads never touch the disk.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "domain/event.h"
#include "domain/plan.h"
#include "domain/states.h"
#include "platform/paths.h"
#include "registry/registry.h"

namespace llmd::serving {

// A model and how it is launched.
struct StoredModel {
  ModelRecord record;
  Launch launch;
};

class ModelStore {
 public:
  // All references must outlive the store.
  ModelStore(registry::Registry& registry, EventStream& events, const platform::HomePaths& home);

  // Reads every model folder and makes the registry agree with it: the folders are the truth. What
  // lies in models/ without a readable model_info.json is listed as broken if the registry knew it.
  // Called once, before anything else.
  Status Load();

  // Reads one model folder, whole by now, and makes it known.
  Status Adopt(std::string_view folder_name);
  // Inserts or replaces; its aliases stay.
  Status Put(const StoredModel& model);
  // Changes the state of a known model.
  Status SetState(std::string_view name, ModelState state);
  Status Remove(std::string_view name);
  Status SetAlias(std::string_view alias, std::string_view model);

  // By name, alias, or unique short form. kNotFound "model_not_found", kInvalidArgument
  // "ambiguous_model".
  StatusOr<StoredModel> Resolve(std::string_view name) const;
  // By exact name; kNotFound.
  StatusOr<StoredModel> Get(std::string_view name) const;
  std::vector<ModelRecord> List() const;

  // The folder that a model of this name has or would get: `<org>_<name>`, with `-<6 hex>` appended
  // where another model has that one (or one that differs in case only).
  std::string FolderFor(std::string_view name) const;

 private:
  using Models = std::map<std::string, StoredModel, std::less<>>;

  // What the folders hold. Of two with the same model the one that the registry knows counts, then
  // the one that is named after it.
  Models ReadFolders(const std::vector<ModelRecord>& known) const;
  Status Record(const StoredModel& model);
  std::vector<std::string> Candidates(std::string_view short_name) const LLMD_REQUIRES(mutex_);

  registry::Registry& registry_;
  EventStream& events_;
  const platform::HomePaths& home_;
  mutable Mutex mutex_;
  Models models_ LLMD_GUARDED_BY(mutex_);
  std::map<std::string, std::string, std::less<>> aliases_ LLMD_GUARDED_BY(mutex_);
};

}  // namespace llmd::serving
