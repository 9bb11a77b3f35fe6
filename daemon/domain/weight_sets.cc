#include "domain/weight_sets.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/core.h>

#include "domain/glob.h"
#include "domain/names.h"

namespace llmd {
namespace {

struct FormatByEnding {
  std::string_view ending;
  std::string_view format;
};

// Longer endings first where one ends in another.
constexpr std::array kEndings = {
    FormatByEnding{".safetensors", "safetensors"},
    FormatByEnding{".gguf", "gguf"},
    FormatByEnding{".onnx", "onnx"},
    FormatByEnding{".onnx_data", "onnx"},
    FormatByEnding{".onnx.data", "onnx"},
    FormatByEnding{".msgpack", "flax"},
    FormatByEnding{".weights.h5", "keras"},
    FormatByEnding{".keras", "keras"},
    FormatByEnding{".h5", "tensorflow"},
    FormatByEnding{".ot", "rust"},
    FormatByEnding{".tflite", "tflite"},
    FormatByEnding{".nemo", "nemo"},
    FormatByEnding{".pte", "executorch"},
    FormatByEnding{".engine", "tensorrt"},
    FormatByEnding{".plan", "tensorrt"},
    FormatByEnding{".llamafile", "llamafile"},
    FormatByEnding{".bin", "pytorch"},
    FormatByEnding{".pt", "pytorch"},
    FormatByEnding{".pth", "pytorch"},
    FormatByEnding{".ckpt", "pytorch"},
    FormatByEnding{".jit", "torchscript"},
    FormatByEnding{".pkl", "pickle"},
    FormatByEnding{".joblib", "pickle"},
    FormatByEnding{".caffemodel", "caffe"},
    FormatByEnding{".pdparams", "paddle"},
    FormatByEnding{".pdiparams", "paddle"},
    FormatByEnding{".mar", "torchserve"},
    FormatByEnding{".npz", "npz"},
    FormatByEnding{".pb", "tensorflow"},
    FormatByEnding{".hef", "hailo"},
    FormatByEnding{".rkllm", "rkllm"},
    FormatByEnding{".rknn", "rkllm"},
};

// Files that end like weights and are none.
constexpr std::array kNoWeights = {"training_args.bin", "optimizer*.pt",   "optimizer*.bin",
                                   "scheduler.pt",      "scheduler.bin",   "rng_state*",
                                   "*tokenizer.bin",    "*tokenizer*.pt*", "scaler.pt",
                                   "*.mlpackage/**",    "random_states*",  "*.imatrix*"};

std::string_view FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string_view BaseOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

std::string_view EndingOf(std::string_view base) {
  for (const FormatByEnding& known : kEndings) {
    if (base.ends_with(known.ending)) return known.ending;
  }
  return {};
}

// "model-00002-of-00005" -> stem, 2, 5.
struct Shard {
  std::string_view stem;
  std::string_view rest;  // between the numbers and the ending: ".fp16"
  int number = 0;
  int count = 0;
};

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

std::optional<Shard> ParseShard(std::string_view name) {
  constexpr size_t kDigits = 5;
  const size_t of = name.rfind("-of-");
  if (of == name.npos || of < kDigits + 1) return std::nullopt;
  const std::string_view number = name.substr(of - kDigits, kDigits);
  const std::string_view count = name.substr(of + 4, kDigits);
  if (!AllDigits(number) || !AllDigits(count) || count.size() != kDigits) return std::nullopt;
  const char before = name[of - kDigits - 1];
  if (before != '-' && before != '_' && before != '.') return std::nullopt;
  Shard shard{.stem = name.substr(0, of - kDigits - 1),
              .rest = name.substr(of + 4 + kDigits),
              .number = std::stoi(std::string(number)),
              .count = std::stoi(std::string(count))};
  if (shard.count < 1 || shard.number > shard.count) return std::nullopt;
  return shard;
}

// "model.fp16" -> "fp16". Only what names a precision: other dots belong to the name.
std::string_view PrecisionOf(std::string_view stem) {
  constexpr std::array kPrecisions = {"fp16", "fp32",    "bf16", "fp8",  "f16",
                                      "f32",  "non_ema", "ema",  "int8", "fp4"};
  for (const std::string_view precision : kPrecisions) {
    if (stem.size() > precision.size() + 1 && stem.ends_with(precision) &&
        stem[stem.size() - precision.size() - 1] == '.') {
      return precision;
    }
  }
  return {};
}

int FormatRank(std::string_view format) {
  constexpr std::array kOrder = {"safetensors", "pytorch", "gguf", "onnx"};
  const auto at = std::find(kOrder.begin(), kOrder.end(), format);
  return static_cast<int>(at - kOrder.begin());
}

int StemRank(std::string_view stem) {
  constexpr std::array kOrder = {"model", "diffusion_pytorch_model", "pytorch_model",
                                 "adapter_model"};
  const auto at = std::find(kOrder.begin(), kOrder.end(), stem);
  return static_cast<int>(at - kOrder.begin());
}

struct Key {
  std::string folder;
  std::string format;
  std::string stem;
  std::string variant;
  int count = 0;  // shards; 0: a single file
  auto operator<=>(const Key&) const = default;
};

struct Group {
  std::vector<const FileEntry*> files;
  std::set<int> numbers;
  std::string first_name;  // how a shard is called, with its number
};

Key KeyOf(const FileEntry& file, std::string_view format, std::optional<Shard>& shard) {
  const std::string_view base = BaseOf(file.path);
  const std::string_view name = base.substr(0, base.size() - EndingOf(base).size());
  shard = ParseShard(name);
  std::string stem(shard ? shard->stem : name);
  std::string variant;
  if (format == "gguf") {
    variant = GgufVariantOf(stem);
  } else if (const std::string_view precision = PrecisionOf(stem); !precision.empty()) {
    variant = precision;
    stem.resize(stem.size() - precision.size() - 1);
  } else if (shard && shard->rest.starts_with('.')) {
    variant = shard->rest.substr(1);
  }
  return {.folder = std::string(FolderOf(file.path)),
          .format = std::string(format),
          .stem = std::move(stem),
          .variant = std::move(variant),
          .count = shard ? shard->count : 0};
}

// The shards' names that are promised and not there; at most a few are named.
std::vector<std::string> MissingShards(const Key& key, const Group& group) {
  constexpr size_t kMost = 5;
  std::vector<std::string> missing;
  for (int number = 1; number <= key.count && missing.size() < kMost; ++number) {
    if (group.numbers.contains(number)) continue;
    std::string name = group.first_name;
    const size_t of = name.rfind("-of-");
    name.replace(of - 5, 5, fmt::format("{:05}", number));
    missing.push_back(std::move(name));
  }
  return missing;
}

// Some projects number from 0: "-00000-of-00004" to "-00003-of-00004".
bool CountsFromZero(const Key& key, const Group& group) {
  return group.numbers.contains(0) && !group.numbers.contains(key.count);
}

WeightSet ToSet(const Key& key, const Group& group, const FileInventory& inventory) {
  WeightSet set{
      .folder = key.folder, .format = key.format, .variant = key.variant, .stem = key.stem};
  for (const FileEntry* file : group.files) {
    set.files.push_back(file->path);
    set.bytes += file->size;
  }
  if (key.count > 0 && !CountsFromZero(key, group)) set.missing = MissingShards(key, group);
  const std::string folder = key.folder.empty() ? "" : key.folder + "/";
  const std::string ending(EndingOf(BaseOf(set.files.front())));
  for (const std::string& name :
       {folder + key.stem + ending + ".index.json",
        fmt::format("{}{}{}.index.{}.json", folder, key.stem, ending, key.variant)}) {
    if (key.count > 0 && inventory.Find(name) != nullptr) set.index = name;
  }
  return set;
}

auto SortKey(const WeightSet& set) {
  const auto depth =
      set.folder.empty() ? 0 : 1 + std::count(set.folder.begin(), set.folder.end(), '/');
  const bool gguf = set.format == "gguf";
  return std::tuple(gguf ? 0 : depth, FormatRank(set.format), gguf ? 0 : StemRank(set.stem),
                    gguf ? GgufVariantRank(set.variant) : (set.variant.empty() ? 0 : 1), set.folder,
                    set.stem, set.variant);
}

}  // namespace

std::string_view WeightFormatOf(std::string_view path) {
  const std::string_view base = BaseOf(path);
  const auto known = std::find_if(kEndings.begin(), kEndings.end(), [&](const FormatByEnding& one) {
    return base.ends_with(one.ending);
  });
  if (known == kEndings.end()) return {};
  for (const std::string_view pattern : kNoWeights) {
    if (MatchesGlob(pattern, base)) return {};
  }
  if (path.find(".mlmodelc/") != path.npos || path.find(".mlpackage/") != path.npos) {
    return "coreml";
  }
  if (known->format != "pytorch") return known->format;
  if (base.starts_with("openvino_")) {
    // The parts of one model: openvino_encoder_model.bin, openvino_language_model.bin.
    return base.ends_with("_model.bin") ? std::string_view("openvino") : std::string_view();
  }
  // whisper.cpp's files, and what llama.cpp read before GGUF.
  const bool ggml = base.ends_with(".bin") && ToLower(base).find("ggml") != std::string::npos;
  return ggml ? std::string_view("ggml") : known->format;
}

std::vector<WeightSet> FindWeightSets(const FileInventory& inventory) {
  std::map<Key, Group> groups;
  for (const FileEntry& file : inventory.files) {
    const std::string_view format = WeightFormatOf(file.path);
    if (format.empty()) continue;
    std::optional<Shard> shard;
    Group& group = groups[KeyOf(file, format, shard)];
    group.files.push_back(&file);
    if (shard) {
      group.numbers.insert(shard->number);
      if (group.first_name.empty()) group.first_name = file.path;
    }
  }
  std::vector<WeightSet> sets;
  sets.reserve(groups.size());
  for (const auto& [key, group] : groups) sets.push_back(ToSet(key, group, inventory));
  std::stable_sort(sets.begin(), sets.end(),
                   [](const WeightSet& a, const WeightSet& b) { return SortKey(a) < SortKey(b); });
  return sets;
}

std::string GgufVariantOf(std::string_view stem) {
  // The last part between separators that looks like a quantisation, with what follows it.
  std::string upper(stem);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  constexpr std::array kPatterns = {"Q?_*", "IQ?_*", "TQ?_*", "Q?",     "F16",    "F32",
                                    "BF16", "FP16",  "FP32",  "MXFP4*", "NVFP4*", "FP8*"};
  for (size_t end = upper.size(); end > 0;) {
    const size_t separator = upper.find_last_of("-. ", end - 1);
    const size_t begin = separator == std::string::npos ? 0 : separator + 1;
    const std::string_view part = std::string_view(upper).substr(begin, end - begin);
    for (const std::string_view pattern : kPatterns) {
      if (!MatchesGlob(pattern, part)) continue;
      const bool dynamic = begin >= 3 && upper.compare(begin - 3, 3, "UD-") == 0;
      return (dynamic ? "UD-" : "") + std::string(part);
    }
    if (separator == std::string::npos) break;
    end = separator;
  }
  return {};
}

int GgufVariantRank(std::string_view variant) {
  if (variant.starts_with("UD-")) variant.remove_prefix(3);
  constexpr std::array kOrder = {"Q4_K_M", "Q4_K_L", "Q4_K_XL", "Q4_K_S", "Q4",     "MXFP4*",
                                 "Q4_0",   "Q4_1",   "IQ4_XS",  "IQ4_NL", "Q5_K_M", "Q5_K*",
                                 "Q5*",    "Q6*",    "Q8_0",    "Q8*",    "Q3_K_M", "Q3*",
                                 "IQ3*",   "Q2*",    "IQ2*",    "IQ1*",   "",       "F16",
                                 "FP16",   "BF16",   "F32",     "FP32"};
  for (size_t i = 0; i < kOrder.size(); ++i) {
    if (MatchesGlob(kOrder[i], variant)) return static_cast<int>(i);
  }
  // Formats for special hardware, withdrawn ones (Q4_0_4_4) and names that we do not know.
  return static_cast<int>(kOrder.size());
}

}  // namespace llmd
