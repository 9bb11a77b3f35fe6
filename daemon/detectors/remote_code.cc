#include "detectors/remote_code.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "domain/json_path.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

constexpr size_t kMaxEntries = 64;

bool IsModuleName(std::string_view text) {
  if (text.empty() || text.size() > 200 || text.find("..") != text.npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
  });
}

AutoMapEntry ParseEntry(std::string auto_class, std::string_view text) {
  AutoMapEntry entry{.auto_class = std::move(auto_class)};
  const size_t foreign = text.find("--");
  if (foreign != text.npos) {
    entry.repository = text.substr(0, foreign);
    text.remove_prefix(foreign + 2);
  }
  const size_t dot = text.rfind('.');
  if (dot == text.npos) return entry;
  entry.module = text.substr(0, dot);
  entry.class_name = text.substr(dot + 1);
  entry.sound = IsModuleName(entry.module) && IsModuleName(entry.class_name) &&
                (entry.repository.empty() || ValidateRepoId(entry.repository).ok());
  return entry;
}

// Collects what code is needed, and looks whether it is there.
class Collector {
 public:
  explicit Collector(const Facts& facts) : facts_(facts) {}

  void Need(const AutoMapEntry& entry, std::string_view document) {
    result_.needed = true;
    if (!entry.sound) {
      Obstacle(fmt::format("{}: auto_map points outside of the repository ('{}')", document,
                           SanitizeForTerminal(entry.module)));
      return;
    }
    std::string path = entry.module;
    std::replace(path.begin(), path.end(), '.', '/');
    path += ".py";
    if (!entry.repository.empty()) {
      files_.insert(entry.repository + ": " + path);
      return;
    }
    files_.insert(path);
    if (facts_.inventory.Find(path) == nullptr) {
      Obstacle(
          fmt::format("{}: auto_map names {}, which the repository does not have", document, path));
    }
  }

  RemoteCode Take() {
    result_.files.assign(files_.begin(), files_.end());
    return std::move(result_);
  }

 private:
  void Obstacle(std::string text) {
    if (result_.obstacle.empty()) result_.obstacle = std::move(text);
  }

  const Facts& facts_;
  RemoteCode result_;
  std::set<std::string> files_;
};

// "x_config": {"model_type": "..."} that the library does not know, at the first level.
bool HasForeignPart(const json& root, const Tables& tables) {
  for (const auto& [key, part] : root.items()) {
    if (!key.ends_with("_config") || key == "quantization_config") continue;
    const std::string type = JsonText(&part, "model_type");
    if (!type.empty() && !tables.types.contains(type)) return true;
  }
  return false;
}

bool NeedsModelCode(const ModelConfig& config, const std::vector<AutoMapEntry>& map,
                    const Tables& tables) {
  if (map.empty()) return false;
  const auto type = tables.types.find(config.model_type);
  if (type == tables.types.end()) return true;
  const bool class_known = tables.FindClass(config.architecture) != nullptr;
  for (const AutoMapEntry& entry : map) {
    const bool same = ToLower(entry.class_name) == ToLower(type->second.config);
    if (entry.auto_class == "AutoConfig" && !same) return true;
    if (!class_known && entry.class_name == config.architecture) return true;
  }
  return HasForeignPart(*config.root, tables);
}

// Tokenizers and processors that the library lacks.
void AddHelpers(const Facts& facts, const Tables& tables, Collector& collector) {
  for (const AutoMapEntry& entry : ReadAutoMap(DocumentJson(facts, "tokenizer_config.json"))) {
    if (entry.auto_class == "AutoTokenizer" && !tables.tokenizers.contains(entry.class_name)) {
      collector.Need(entry, "tokenizer_config.json");
    }
  }
  for (const char* name : {"preprocessor_config.json", "processor_config.json"}) {
    for (const AutoMapEntry& entry : ReadAutoMap(DocumentJson(facts, name))) {
      if (!tables.processors.contains(entry.class_name)) collector.Need(entry, name);
    }
  }
}

}  // namespace

std::vector<AutoMapEntry> ReadAutoMap(const json* document) {
  std::vector<AutoMapEntry> entries;
  const json* map = JsonMember(document, "auto_map");
  if (map == nullptr || !map->is_object()) return entries;
  for (const auto& [name, value] : map->items()) {
    const json list = value.is_array() ? value : json::array({value});
    for (const json& item : list) {
      if (item.is_string() && entries.size() < kMaxEntries) {
        entries.push_back(ParseEntry(name, item.get_ref<const std::string&>()));
      }
    }
  }
  return entries;
}

RemoteCode FindRemoteCode(const Facts& facts, const ModelConfig& config, const Tables& tables) {
  Collector collector(facts);
  const std::vector<AutoMapEntry> map = ReadAutoMap(config.root);
  if (config.root != nullptr && NeedsModelCode(config, map, tables)) {
    // The tokenizer's own configuration goes before what the model's says of it.
    const json* tokenizer = DocumentJson(facts, "tokenizer_config.json");
    const bool settled = !JsonText(tokenizer, "tokenizer_class").empty();
    for (const AutoMapEntry& entry : map) {
      const bool other = settled && entry.auto_class == "AutoTokenizer";
      if (!other) collector.Need(entry, config.file);
    }
  }
  AddHelpers(facts, tables, collector);
  return collector.Take();
}

}  // namespace llmd::detectors
