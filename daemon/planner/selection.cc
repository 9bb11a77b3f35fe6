#include "planner/selection.h"

#include <algorithm>

#include "domain/glob.h"
#include "domain/weight_sets.h"

namespace llmd::planner {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// A projector is loaded beside a GGUF, never as one.
bool IsProjector(std::string_view path) {
  const size_t slash = path.rfind('/');
  return Lower(slash == path.npos ? path : path.substr(slash + 1)).find("mmproj") !=
         std::string::npos;
}

// A model with vision needs its projector, whichever variant was chosen.
void AddProjector(const Facts& facts, const ModelProfile& profile,
                  std::vector<std::string>& files) {
  if (profile.kind != "vlm" || std::any_of(files.begin(), files.end(), IsProjector)) return;
  for (const std::string& path : profile.weight_files) {
    if (IsProjector(path)) return files.push_back(path);
  }
  for (const WeightSet& set : facts.weights) {
    if (set.format == "gguf" && IsProjector(set.files.front())) {
      files.insert(files.end(), set.files.begin(), set.files.end());
      return;
    }
  }
}

Selection MakeSelection(const Facts& facts, const ModelProfile& profile, std::string variant,
                        std::vector<std::string> files) {
  if (!files.empty() && WeightFormatOf(files.front()) == "gguf") {
    AddProjector(facts, profile, files);
  }
  std::sort(files.begin(), files.end());
  Selection selection{.variant = std::move(variant), .files = std::move(files)};
  for (const std::string& path : selection.files) {
    if (const FileEntry* file = facts.inventory.Find(path)) selection.bytes += file->size;
    if (selection.format.empty()) selection.format = WeightFormatOf(path);
  }
  selection.quantization = selection.format == "gguf" ? "gguf" : profile.quantization;
  return selection;
}

Selection OwnWeights(const Facts& facts, const ModelProfile& profile) {
  if (!profile.weight_files.empty()) {
    return MakeSelection(facts, profile, "", profile.weight_files);
  }
  for (const WeightSet& set : facts.weights) {
    const bool gguf = set.format == "gguf";
    if (gguf == (profile.quantization == "gguf") && set.missing.empty() &&
        !IsProjector(set.files.front())) {
      return MakeSelection(facts, profile, gguf ? set.variant : "", set.files);
    }
  }
  return {};
}

using Variant = ModelProfile::Variant;

// A GGUF variant for a size that users name; patterns in the order of preference.
const Variant* VariantOfSize(const std::vector<Variant>& variants, std::string_view size) {
  std::vector<std::string_view> patterns;
  if (size == "4bit") patterns = {"Q4_K_M", "*Q4_K*", "*Q4*", "MXFP4*", "*IQ4*"};
  if (size == "8bit") patterns = {"Q8_0", "*Q8*"};
  if (size == "none") patterns = {"BF16", "F16", "FP16", "F32", "FP32"};
  for (const std::string_view pattern : patterns) {
    for (const Variant& variant : variants) {
      if (MatchesGlob(pattern, variant.name)) return &variant;
    }
  }
  return nullptr;
}

std::string Names(const std::vector<Variant>& variants) {
  std::string names;
  for (const Variant& variant : variants) {
    names += (names.empty() ? "" : ", ") + variant.name;
  }
  return names.empty() ? "it has no variants" : "it has " + names;
}

Status UnknownVariant(const ModelProfile& profile, std::string_view what) {
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("{} has no {}; {}", profile.repo_id, what, Names(profile.variants)),
                    {.code = "unknown_variant",
                     .next_step = "Name one of its variants, or none for the usual one."});
}

StatusOr<Selection> SelectByFile(const Facts& facts, const ModelProfile& profile,
                                 const std::string& file) {
  for (const Variant& variant : profile.variants) {
    if (std::find(variant.files.begin(), variant.files.end(), file) != variant.files.end()) {
      return MakeSelection(facts, profile, variant.name, variant.files);
    }
  }
  for (const WeightSet& set : facts.weights) {
    if (std::find(set.files.begin(), set.files.end(), file) != set.files.end()) {
      return MakeSelection(facts, profile, set.variant.empty() ? set.stem : set.variant, set.files);
    }
  }
  return UnknownVariant(profile, fmt::format("weight file '{}'", file));
}

Status Contradiction(const Wish& wish, const Selection& selection) {
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("variant '{}' and file '{}' contradict each other: that file is of "
                                "the variant {}",
                                wish.variant, wish.file, selection.variant),
                    {.code = "contradicting_wish", .next_step = "Name one of the two."});
}

const Variant* FindVariant(const ModelProfile& profile, std::string_view name) {
  for (const Variant& variant : profile.variants) {
    if (Lower(variant.name) == Lower(name)) return &variant;
  }
  return nullptr;
}

}  // namespace

StatusOr<Selection> SelectWeights(const Facts& facts, const ModelProfile& profile,
                                  const Wish& wish) {
  if (!wish.file.empty()) {
    LLMD_ASSIGN_OR_RETURN(Selection selection, SelectByFile(facts, profile, wish.file));
    if (wish.variant.empty() || Lower(wish.variant) == Lower(selection.variant)) return selection;
    return Contradiction(wish, selection);
  }
  if (!wish.variant.empty()) {
    const Variant* variant = FindVariant(profile, wish.variant);
    if (variant == nullptr) {
      return UnknownVariant(profile, fmt::format("variant '{}'", wish.variant));
    }
    return MakeSelection(facts, profile, variant->name, variant->files);
  }
  const Selection own = OwnWeights(facts, profile);
  if (wish.quantization.empty()) return own;
  // A quantisation of users' words is a variant where there is one of that name or size.
  if (const Variant* variant = FindVariant(profile, wish.quantization)) {
    return MakeSelection(facts, profile, variant->name, variant->files);
  }
  if (own.format != "gguf") return own;
  if (const Variant* variant = VariantOfSize(profile.variants, wish.quantization)) {
    return MakeSelection(facts, profile, variant->name, variant->files);
  }
  return UnknownVariant(profile, fmt::format("variant for '{}'", wish.quantization));
}

Selection AlternativeIn(const std::vector<std::string>& formats, const Facts& facts,
                        const ModelProfile& profile) {
  const Variant* best = nullptr;
  for (const Variant& variant : profile.variants) {
    if (variant.files.empty()) continue;
    const std::string_view format = WeightFormatOf(variant.files.front());
    if (std::find(formats.begin(), formats.end(), format) == formats.end()) continue;
    if (best == nullptr || GgufVariantRank(variant.name) < GgufVariantRank(best->name)) {
      best = &variant;
    }
  }
  return best == nullptr ? Selection{} : MakeSelection(facts, profile, best->name, best->files);
}

std::string MainFile(const Selection& selection) {
  for (const std::string& path : selection.files) {
    if (!IsProjector(path)) return path;
  }
  return {};
}

std::string ProjectorFile(const Selection& selection) {
  for (const std::string& path : selection.files) {
    if (IsProjector(path)) return path;
  }
  return {};
}

}  // namespace llmd::planner
