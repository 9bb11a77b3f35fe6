#include "detectors/weights_choice.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include <fmt/core.h>

#include "detectors/derive_facts.h"
#include "detectors/wanted_files.h"
#include "domain/json_path.h"
#include "domain/names.h"

namespace llmd::detectors {
namespace {

constexpr size_t kMaxVariants = 200;

bool IsLoadable(const WeightSet& set) {
  return set.format == "safetensors" || set.format == "pytorch";
}

bool IsProjectorSet(const WeightSet& set) {
  return ToLower(set.stem).find("mmproj") != std::string::npos;
}

const WeightSet* FirstIn(const Facts& facts, std::string_view folder) {
  for (const WeightSet& set : facts.weights) {
    if (set.folder == folder && IsLoadable(set)) return &set;
  }
  return nullptr;
}

const WeightSet* SetOf(const Facts& facts, std::string_view file) {
  for (const WeightSet& set : facts.weights) {
    if (std::find(set.files.begin(), set.files.end(), file) != set.files.end()) return &set;
  }
  return nullptr;
}

// A model in a sub-folder, where there is none at the top.
const WeightSet* FolderCheckpoint(const Facts& facts) {
  const std::string file = FindModelConfig(facts).file;
  const size_t slash = file.rfind('/');
  return slash == file.npos ? nullptr : FirstIn(facts, std::string_view(file).substr(0, slash));
}

// sentence-transformers' older layout has the network in a module's folder.
const WeightSet* ModuleCheckpoint(const Facts& facts) {
  const auto modules = facts.documents.find("modules.json");
  if (modules == facts.documents.end() || modules->second.json == nullptr) return nullptr;
  for (const auto& module : *modules->second.json) {
    const std::string folder = JsonText(&module, "path");
    if (const WeightSet* set = folder.empty() ? nullptr : FirstIn(facts, folder)) return set;
  }
  return nullptr;
}

std::string FormatsThere(const Facts& facts) {
  std::set<std::string> formats;
  for (const WeightSet& set : facts.weights) formats.insert(set.format);
  std::string text;
  for (const std::string& format : formats) text += (text.empty() ? "" : ", ") + format;
  return text;
}

void ChooseCheckpoint(const Facts& facts, WeightsChoice& choice) {
  const WeightSet* set = RootCheckpoint(facts);
  if (set == nullptr) set = ModuleCheckpoint(facts);
  if (set == nullptr) set = FolderCheckpoint(facts);
  if (set != nullptr) {
    choice.sets.push_back(set);
  } else if (facts.weights.empty()) {
    choice.obstacles.push_back("there are no weights in the repository");
  } else {
    choice.obstacles.push_back(fmt::format(
        "no model.safetensors or pytorch_model.bin is there, which the loader looks for; "
        "the weight files are of the format {}",
        FormatsThere(facts)));
  }
}

void ChooseGguf(const Facts& facts, WeightsChoice& choice) {
  for (const GgufFacts& gguf : facts.ggufs) {
    const WeightSet* set = gguf.error.empty() ? SetOf(facts, gguf.file) : nullptr;
    if (set == nullptr) continue;
    const bool again = std::any_of(
        choice.sets.begin(), choice.sets.end(),
        [&](const WeightSet* had) { return IsProjectorSet(*had) == IsProjectorSet(*set); });
    if (!again) choice.sets.push_back(set);
  }
  if (!choice.sets.empty()) return;
  for (const WeightSet& set : facts.weights) {
    if (set.format == "gguf" && !IsProjectorSet(set)) {
      choice.sets.push_back(&set);
      return;
    }
  }
}

void ChoosePipeline(const Facts& facts, WeightsChoice& choice) {
  for (const ComponentFacts& part : facts.components) {
    if (const WeightSet* set = FirstIn(facts, part.name)) choice.sets.push_back(set);
  }
  if (choice.sets.empty()) {
    if (const WeightSet* set = FirstIn(facts, "")) choice.sets.push_back(set);
  }
}

// A model has at least a byte for each of its layers' widths; what has less stands for it.
std::string TooFewBytes(const Facts& facts, const WeightSet& set) {
  if (set.bytes >= kTinyWeights || set.files.empty() || !facts.architecture) return {};
  const ArchitectureFacts& model = *facts.architecture;
  if (model.layers <= 0 || model.hidden_size <= set.bytes / model.layers) return {};
  return fmt::format(
      "{} has only {} bytes, and {} describes a model of {} layers: perhaps a Git LFS pointer",
      set.files.front(), set.bytes, model.source, model.layers);
}

void LookForTrouble(const Facts& facts, WeightsChoice& choice) {
  for (const WeightSet* set : choice.sets) {
    if (!set->missing.empty()) {
      std::string names;
      for (const std::string& name : set->missing) names += (names.empty() ? "" : ", ") + name;
      choice.obstacles.push_back(
          fmt::format("the checkpoint is not complete: {} is missing", names));
    }
    for (const std::string& path : set->files) {
      const auto instead = facts.not_weights.find(path);
      if (instead != facts.not_weights.end()) {
        choice.obstacles.push_back(instead->second);
        return;
      }
    }
  }
  // What the headers told, of the files that count.
  const auto blame = [&](const std::string& error) {
    const bool counts =
        std::any_of(choice.sets.begin(), choice.sets.end(), [&](const WeightSet* set) {
          return std::any_of(set->files.begin(), set->files.end(), [&](const std::string& path) {
            return error.find(path) != error.npos;
          });
        });
    if (counts && choice.obstacles.empty()) choice.obstacles.push_back(error);
  };
  if (facts.safetensors && !facts.safetensors->error.empty()) blame(facts.safetensors->error);
  for (const auto& [folder, header] : facts.part_headers) {
    if (!header.error.empty()) blame(header.error);
  }
  for (const WeightSet* set : choice.sets) {
    std::string few = TooFewBytes(facts, *set);
    if (!few.empty() && choice.obstacles.empty()) choice.obstacles.push_back(std::move(few));
  }
}

std::string VariantName(const WeightSet& set, const Facts& facts) {
  if (set.format == "gguf") return set.variant.empty() ? set.stem : set.variant;
  if (!set.folder.empty() && facts.inventory.Find(set.folder + "/adapter_config.json") != nullptr) {
    return set.folder;
  }
  if (!set.variant.empty()) return set.variant;
  if (set.format != "safetensors") return set.format;
  if (!set.folder.empty()) return set.folder;
  return set.stem;
}

}  // namespace

int64_t WeightsChoice::Bytes() const {
  int64_t bytes = 0;
  for (const WeightSet* set : sets) bytes += set->bytes;
  return bytes;
}

std::vector<std::string> WeightsChoice::Files() const {
  std::vector<std::string> files;
  for (const WeightSet* set : sets) files.insert(files.end(), set->files.begin(), set->files.end());
  std::sort(files.begin(), files.end());
  return files;
}

WeightsChoice ChooseWeights(std::string_view layout, const Facts& facts) {
  WeightsChoice choice;
  if (layout == "checkpoint") ChooseCheckpoint(facts, choice);
  if (layout == "gguf") ChooseGguf(facts, choice);
  if (layout == "pipeline") ChoosePipeline(facts, choice);
  if (layout == "part" || layout == "file") {
    if (const WeightSet* set = FirstIn(facts, "")) choice.sets.push_back(set);
    if (facts.weights.empty() && layout == "part") {
      choice.obstacles.push_back("there are no weights in the repository");
    }
  }
  LookForTrouble(facts, choice);
  return choice;
}

std::vector<ModelProfile::Variant> FindVariants(const WeightsChoice& choice, const Facts& facts) {
  std::vector<ModelProfile::Variant> variants;
  std::map<std::string, size_t> at;
  const auto add = [&](const WeightSet& set) {
    const std::string name = VariantName(set, facts);
    const auto [known, is_new] = at.emplace(name, variants.size());
    if (is_new) {
      if (variants.size() >= kMaxVariants) return;
      variants.push_back({.name = name});
    }
    if (known->second >= variants.size()) return;
    ModelProfile::Variant& variant = variants[known->second];
    variant.files.insert(variant.files.end(), set.files.begin(), set.files.end());
    variant.bytes += set.bytes;
  };
  const auto chosen = [&](const WeightSet& set) {
    return std::find(choice.sets.begin(), choice.sets.end(), &set) != choice.sets.end();
  };
  for (const WeightSet* set : choice.sets) {
    if (set->format == "gguf" && !IsProjectorSet(*set)) add(*set);
  }
  for (const WeightSet& set : facts.weights) {
    const bool aside = set.format == "gguf" &&
                       (IsProjectorSet(set) || set.stem.find("imatrix") != std::string::npos);
    if (!chosen(set) && !aside && set.missing.empty()) add(set);
  }
  return variants;
}

}  // namespace llmd::detectors
