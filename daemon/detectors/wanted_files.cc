#include "detectors/wanted_files.h"

#include <algorithm>
#include <array>
#include <set>

#include "domain/glob.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

constexpr size_t kMaxRootConfigs = 24;
constexpr size_t kMaxFolderConfigs = 40;
constexpr size_t kMaxPartHeaders = 16;
constexpr size_t kMaxShardHeaders = 8;
constexpr size_t kMaxGgufs = 8;
constexpr size_t kMaxTinyWeights = 32;
constexpr int64_t kMaxIndexBytes = 4 << 20;

// What probes and rules ask about, at the root.
constexpr std::array kRootDocuments = {
    "config.json",           "model_index.json",      "modules.json",
    "adapter_config.json",   "tokenizer_config.json", "preprocessor_config.json",
    "processor_config.json", "chat_template.json",    "sentence_bert_config.json",
    "hf_quant_config.json",  "quantize_config.json",  "config_sentence_transformers.json",
    "quant_config.json",     "openvino_config.json"};
constexpr std::array kTexts = {"chat_template.jinja"};

bool IsRoot(std::string_view path) { return path.find('/') == path.npos; }

size_t Depth(std::string_view path) {
  return static_cast<size_t>(std::count(path.begin(), path.end(), '/'));
}

bool IsProjector(std::string_view stem) {
  return ToLower(stem).find("mmproj") != std::string::npos;
}

// Importance matrices and the like: GGUF files that hold no model.
bool IsAside(std::string_view stem) { return ToLower(stem).find("imatrix") != std::string::npos; }

class Chooser {
 public:
  Chooser(const Facts& facts, const std::vector<std::string>& asked)
      : facts_(facts), asked_(asked) {}

  WantedFiles Choose() {
    Documents();
    Texts();
    RootHeaders();
    PartHeaders();
    Ggufs();
    TinyWeights();
    return std::move(wanted_);
  }

 private:
  bool Has(std::string_view path) const { return facts_.inventory.Find(path) != nullptr; }

  void AddJson(const std::string& path) {
    if (names_.insert(path).second) wanted_.json.push_back(path);
  }

  void Documents() {
    for (const char* name : kRootDocuments) {
      if (Has(name)) AddJson(name);
    }
    for (const std::string& name : asked_) {
      if (Has(name)) AddJson(name);
    }
    const bool has_root = Has("config.json") || Has("model_index.json");
    size_t root_configs = 0;
    size_t folder_configs = 0;
    for (const FileEntry& file : facts_.inventory.files) {
      if (IsRoot(file.path)) {
        // Other names count only where the usual ones are missing.
        const bool config =
            !has_root && (MatchesGlob("*config*.json", file.path) || file.path == "params.json");
        if (config && ++root_configs <= kMaxRootConfigs) AddJson(file.path);
        continue;
      }
      const size_t depth = Depth(file.path);
      const bool config = file.path.ends_with("/config.json") ||
                          file.path.ends_with("/modules.json") ||
                          file.path.ends_with("/adapter_config.json");
      if (!config || depth > (has_root ? 1 : 2)) continue;
      if (++folder_configs <= kMaxFolderConfigs) AddJson(file.path);
    }
    AddIndex();
  }

  void AddIndex() {
    const WeightSet* root = RootSet();
    if (root == nullptr || root->index.empty()) return;
    const FileEntry* file = facts_.inventory.Find(root->index);
    if (file != nullptr && file->size <= kMaxIndexBytes) AddJson(root->index);
  }

  void Texts() {
    for (const char* name : kTexts) {
      if (Has(name)) wanted_.text.push_back(name);
    }
  }

  const WeightSet* RootSet() const {
    for (const WeightSet& set : facts_.weights) {
      if (set.folder.empty() && set.format == "safetensors") return &set;
    }
    return nullptr;
  }

  void RootHeaders() {
    const WeightSet* root = RootSet();
    if (root == nullptr) return;
    if (root->files.size() <= kMaxShardHeaders) {
      wanted_.root_headers = root->files;
    } else {
      wanted_.root_headers = {root->files.front(), root->files.back()};
      wanted_.root_whole = false;
    }
  }

  void PartHeaders() {
    std::set<std::string> folders;
    for (const WeightSet& set : facts_.weights) {
      if (set.folder.empty() || set.format != "safetensors" || Depth(set.folder) > 0) continue;
      if (folders.size() >= kMaxPartHeaders || !folders.insert(set.folder).second) continue;
      wanted_.part_headers.push_back(set.files.front());
    }
  }

  // A GGUF beside a whole checkpoint is a variant, for which its name is enough.
  bool GgufMatters() const {
    const bool described = Has("config.json") || Has("model_index.json");
    return !(described && (RootSet() != nullptr || Has("model_index.json")));
  }

  void Ggufs() {
    if (!GgufMatters()) return;
    for (const WeightSet& set : facts_.weights) {
      if (set.format != "gguf" || IsAside(set.stem)) continue;
      std::vector<std::string>& list = IsProjector(set.stem) ? wanted_.projectors : wanted_.ggufs;
      if (list.size() < kMaxGgufs) list.push_back(set.files.front());
    }
  }

  void TinyWeights() {
    for (const WeightSet& set : facts_.weights) {
      const bool read = set.format == "safetensors" || set.format == "pytorch";
      if (!read && set.format != "gguf") continue;
      for (const std::string& path : set.files) {
        const FileEntry* file = facts_.inventory.Find(path);
        if (file == nullptr || file->size >= kTinyWeights) continue;
        if (wanted_.tiny_weights.size() < kMaxTinyWeights) wanted_.tiny_weights.push_back(path);
      }
    }
  }

  const Facts& facts_;
  const std::vector<std::string>& asked_;
  std::set<std::string> names_;
  WantedFiles wanted_;
};

}  // namespace

WantedFiles ChooseFiles(const Facts& facts, const std::vector<std::string>& asked) {
  return Chooser(facts, asked).Choose();
}

}  // namespace llmd::detectors
