#include "detectors/tables.h"

#include <utility>

#include "base/yaml_reader.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

constexpr YamlLimits kTableLimits{.max_bytes = 4u << 20, .max_nodes = 400'000};

// Reads maps of maps; remembers the first thing that was wrong.
class TableReader {
 public:
  explicit TableReader(std::string source) : source_(std::move(source)) {}

  void Fail(const YamlNode& node, std::string_view message) {
    if (status_.ok()) status_ = YamlError(source_, node, message, "invalid_table");
  }
  const Status& status() const { return status_; }

  const YamlNode& Section(const YamlNode& root, std::string_view name) {
    static const YamlNode kNothing;
    const YamlNode* section = root.Find(name);
    if (section == nullptr) Fail(root, fmt::format("'{}' is missing", name));
    return section == nullptr ? kNothing : *section;
  }
  std::string Text(const YamlNode& entry, std::string_view key) {
    const YamlNode* value = entry.Find(key);
    if (value == nullptr || value->IsNull()) return {};
    if (!value->IsScalar()) Fail(*value, "a text was expected");
    return value->scalar;
  }
  int64_t Number(const YamlNode& entry, std::string_view key) {
    const YamlNode* value = entry.Find(key);
    if (value == nullptr) return 0;
    if (!value->AsInt()) Fail(*value, "a whole number was expected");
    return value->AsInt().value_or(0);
  }
  std::vector<std::string> List(const YamlNode& entry, std::string_view key) {
    const YamlNode* value = entry.Find(key);
    return value == nullptr ? std::vector<std::string>() : Items(*value);
  }
  std::vector<std::string> Items(const YamlNode& list) {
    std::vector<std::string> items;
    if (!list.IsSequence()) Fail(list, "a list was expected");
    for (const YamlNode& item : list.items) items.push_back(item.scalar);
    return items;
  }
  // Every entry of a section through `read(entry)`.
  template <typename T, typename Function>
  void Read(const YamlNode& section, Table<T>& table, Function read) {
    if (!section.IsMap()) Fail(section, "a map was expected");
    for (const auto& [name, entry] : section.entries) {
      table.emplace_hint(table.end(), name, read(entry));
    }
  }

 private:
  std::string source_;
  Status status_;
};

void ReadTransformers(TableReader& reader, const YamlNode& root, Tables& tables) {
  const auto text = [](const YamlNode& entry) { return entry.scalar; };
  const auto model_class = [&](const YamlNode& entry) {
    ModelClass read{.type = reader.Text(entry, "type"),
                    .loader = reader.Text(entry, "loader"),
                    .kind = reader.Text(entry, "kind"),
                    .takes = reader.List(entry, "in"),
                    .gives = reader.List(entry, "out")};
    if (read.takes.empty()) read.takes = {"text"};
    return read;
  };
  tables.transformers_version = reader.Text(root, "version");
  reader.Read(reader.Section(root, "types"), tables.types, [&](const YamlNode& entry) {
    return ModelType{.config = reader.Text(entry, "config"),
                     .default_class = reader.Text(entry, "class"),
                     .layers = reader.Number(entry, "layers"),
                     .hidden = reader.Number(entry, "hidden"),
                     .heads = reader.Number(entry, "heads"),
                     .kv_heads = reader.Number(entry, "kv_heads"),
                     .head_dim = reader.Number(entry, "head_dim"),
                     .vocab = reader.Number(entry, "vocab"),
                     .context = reader.Number(entry, "context"),
                     .position_offset = reader.Number(entry, "position_offset"),
                     .pattern = reader.Text(entry, "pattern"),
                     .window = reader.Number(entry, "window")};
  });
  reader.Read(reader.Section(root, "classes"), tables.classes, model_class);
  reader.Read(reader.Section(root, "suffixes"), tables.suffixes, model_class);
  reader.Read(reader.Section(root, "aliases"), tables.aliases, text);
  for (const auto& [name, entry] : tables.classes) tables.aliases.emplace(ToLower(name), name);
  reader.Read(reader.Section(root, "loaders"), tables.loaders, text);
  reader.Read(reader.Section(root, "pipeline_tags"), tables.pipeline_tags, text);
  reader.Read(reader.Section(root, "foreign_types"), tables.foreign_types,
              [&](const YamlNode& entry) {
                return ForeignType{.package = reader.Text(entry, "package"),
                                   .kind = reader.Text(entry, "kind")};
              });
  for (const auto& name : reader.Items(reader.Section(root, "tokenizers"))) {
    tables.tokenizers.insert(name);
  }
  for (const auto& name : reader.Items(reader.Section(root, "processors"))) {
    tables.processors.insert(name);
  }
}

void ReadDiffusers(TableReader& reader, const YamlNode& root, Tables& tables) {
  tables.diffusers_version = reader.Text(root, "version");
  reader.Read(reader.Section(root, "pipelines"), tables.pipelines, [&](const YamlNode& entry) {
    return PipelineClass{.kind = reader.Text(entry, "kind"), .can = reader.List(entry, "can")};
  });
  reader.Read(reader.Section(root, "models"), tables.parts,
              [&](const YamlNode& entry) { return reader.Text(entry, "kind"); });
  for (const auto& name : reader.Items(reader.Section(root, "modules"))) {
    tables.pipeline_modules.insert(name);
  }
}

}  // namespace

const ModelClass* Tables::FindClass(std::string_view name) const {
  auto at = classes.find(name);
  if (at == classes.end()) {
    auto alias = aliases.find(name);
    if (alias == aliases.end()) alias = aliases.find(ToLower(name));
    if (alias != aliases.end()) at = classes.find(alias->second);
  }
  return at == classes.end() ? nullptr : &at->second;
}

const ModelClass* Tables::FindBySuffix(std::string_view name) const {
  const ModelClass* found = nullptr;
  size_t longest = 0;
  for (const auto& [suffix, entry] : suffixes) {
    if (suffix.size() > longest && name.ends_with(suffix)) {
      found = &entry;
      longest = suffix.size();
    }
  }
  return found;
}

StatusOr<Tables> LoadTables(const std::filesystem::path& folder) {
  Tables tables;
  using Read = void (*)(TableReader&, const YamlNode&, Tables&);
  for (const auto& [name, read] :
       {std::pair<const char*, Read>{"transformers.yaml", &ReadTransformers},
        std::pair<const char*, Read>{"diffusers.yaml", &ReadDiffusers}}) {
    const std::filesystem::path path = folder / name;
    LLMD_ASSIGN_OR_RETURN(const YamlNode root, ReadYamlFile(path, kTableLimits));
    TableReader reader(path.string());
    read(reader, root, tables);
    LLMD_RETURN_IF_ERROR(reader.status());
  }
  return tables;
}

}  // namespace llmd::detectors
