#include "detectors/probe_gguf.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "domain/names.h"

namespace llmd::detectors {
namespace {

constexpr uint64_t kMaxKeyBytes = 1'024;
constexpr uint64_t kMaxKeys = 65'536;
constexpr uint64_t kMaxTensors = 1'000'000;
constexpr uint64_t kMaxKeptString = 64 << 10;
constexpr uint64_t kMaxTensorName = 256;

enum ValueType : uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64,
  kTypeCount
};
constexpr std::array<uint64_t, kTypeCount> kWidths = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// ggml's tensor types: name, elements a block, bytes a block.
struct BlockType {
  uint32_t id;
  std::string_view name;
  uint64_t elements;
  uint64_t bytes;
};
constexpr std::array kBlockTypes = {
    BlockType{0, "F32", 1, 4},         BlockType{1, "F16", 1, 2},
    BlockType{2, "Q4_0", 32, 18},      BlockType{3, "Q4_1", 32, 20},
    BlockType{6, "Q5_0", 32, 22},      BlockType{7, "Q5_1", 32, 24},
    BlockType{8, "Q8_0", 32, 34},      BlockType{9, "Q8_1", 32, 36},
    BlockType{10, "Q2_K", 256, 84},    BlockType{11, "Q3_K", 256, 110},
    BlockType{12, "Q4_K", 256, 144},   BlockType{13, "Q5_K", 256, 176},
    BlockType{14, "Q6_K", 256, 210},   BlockType{15, "Q8_K", 256, 292},
    BlockType{16, "IQ2_XXS", 256, 66}, BlockType{17, "IQ2_XS", 256, 74},
    BlockType{18, "IQ3_XXS", 256, 98}, BlockType{19, "IQ1_S", 256, 50},
    BlockType{20, "IQ4_NL", 32, 18},   BlockType{21, "IQ3_S", 256, 110},
    BlockType{22, "IQ2_S", 256, 82},   BlockType{23, "IQ4_XS", 256, 136},
    BlockType{24, "I8", 1, 1},         BlockType{25, "I16", 1, 2},
    BlockType{26, "I32", 1, 4},        BlockType{27, "I64", 1, 8},
    BlockType{28, "F64", 1, 8},        BlockType{29, "IQ1_M", 256, 56},
    BlockType{30, "BF16", 1, 2},       BlockType{34, "TQ1_0", 256, 54},
    BlockType{35, "TQ2_0", 256, 66},   BlockType{39, "MXFP4", 32, 17},
};

// A file with nothing but keys, such as a vocabulary, has no more than this behind its header.
constexpr uint64_t kSomething = 1 << 20;
constexpr int64_t kLargestSize = int64_t{1} << 32;

// "llama.block_count" and the like, which memory is planned by.
bool IsSize(std::string_view key) {
  constexpr std::array<std::string_view, 6> kSizes = {
      ".block_count",         ".context_length",       ".embedding_length",
      ".feed_forward_length", ".attention.head_count", ".attention.head_count_kv"};
  return std::any_of(kSizes.begin(), kSizes.end(),
                     [&](std::string_view size) { return key.ends_with(size); });
}

const BlockType* FindBlockType(uint32_t id) {
  for (const BlockType& type : kBlockTypes) {
    if (type.id == id) return &type;
  }
  return nullptr;
}

// Walks the header. Each step returns false when it must stop: `more` or `broken` says why.
class Walker {
 public:
  Walker(std::string_view bytes, int64_t file_size, GgufFacts& facts)
      : bytes_(bytes), file_size_(static_cast<uint64_t>(file_size)), facts_(facts) {}

  GgufRead Walk() {
    if (Start() && Keys() && Tensors() && Fits()) return GgufRead::kWhole;
    if (broken_.empty()) return GgufRead::kNeedMore;
    facts_.error = facts_.file + ": " + broken_;
    return GgufRead::kBroken;
  }

 private:
  bool Break(std::string why) {
    broken_ = std::move(why);
    return false;
  }

  template <typename T>
  bool Read(T& value) {
    if (bytes_.size() - at_ < sizeof(T)) return false;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }
  // Over `count` bytes, which may lie beyond what is there yet.
  bool Skip(uint64_t count) {
    if (count > bytes_.size() - at_) return false;
    at_ += count;
    return true;
  }
  bool ReadString(std::string_view& text, uint64_t limit, std::string_view what) {
    uint64_t length = 0;
    if (!Read(length)) return false;
    if (length > limit) return Break(fmt::format("{} of {} bytes", what, length));
    if (length > bytes_.size() - at_) return false;
    text = bytes_.substr(at_, length);
    at_ += length;
    return true;
  }

  bool Start() {
    constexpr std::string_view kMagic = "GGUF";
    const std::string_view magic = bytes_.substr(0, kMagic.size());
    if (magic != kMagic.substr(0, magic.size())) return Break("no GGUF file");
    at_ = magic.size();
    if (magic.size() < kMagic.size() || !Read(facts_.version)) return false;
    if ((facts_.version & 0xFFFF) == 0) return Break("written for big-endian machines");
    if (facts_.version != 2 && facts_.version != 3) {
      return Break(fmt::format("GGUF version {} is not supported", facts_.version));
    }
    int64_t tensors = 0;
    int64_t keys = 0;
    if (!Read(tensors) || !Read(keys)) return false;
    tensors_ = static_cast<uint64_t>(tensors);
    keys_ = static_cast<uint64_t>(keys);
    if (tensors_ > kMaxTensors) return Break(fmt::format("claims {} tensors", tensors));
    if (keys_ > kMaxKeys) return Break(fmt::format("claims {} keys", keys));
    facts_.tensor_count = tensors;
    return true;
  }

  bool Keys() {
    for (uint64_t i = 0; i < keys_; ++i) {
      std::string_view key;
      uint32_t type = 0;
      if (!ReadString(key, kMaxKeyBytes, "a key") || !Read(type)) return false;
      if (key.empty() || !IsValidUtf8(key)) return Break("a key that is no text");
      if (!seen_.insert(key).second) return Break(fmt::format("the key '{}' twice", key));
      if (!Value(std::string(key), type)) return false;
    }
    return true;
  }

  bool Value(const std::string& key, uint32_t type) {
    if (type >= kTypeCount) return Break(fmt::format("'{}' has the unknown type {}", key, type));
    if (type == kString) return Text(key);
    if (type == kArray) return Array(key);
    if (type == kFloat32 || type == kFloat64) return Float(key, type);
    return Integer(key, type);
  }

  bool Text(const std::string& key) {
    uint64_t length = 0;
    if (!Read(length)) return false;
    if (length > static_cast<uint64_t>(kMaxGgufBytes)) {
      return Break(fmt::format("'{}' claims {} bytes", key, length));
    }
    if (length > bytes_.size() - at_) return false;
    const std::string_view text = bytes_.substr(at_, length);
    at_ += length;
    if (key == "tokenizer.chat_template") {
      facts_.has_chat_template = !text.empty();
      // Whether it knows tools is asked of it later.
      facts_.strings[key] = SanitizeForTerminal(text.substr(0, 4 * kMaxKeptString));
    } else if (length <= kMaxKeptString) {
      facts_.strings[key] = SanitizeForTerminal(text);
    }
    return true;
  }

  bool Float(const std::string& key, uint32_t type) {
    float single = 0;
    double value = 0;
    if (type == kFloat32 ? !Read(single) : !Read(value)) return false;
    facts_.floats[key] = type == kFloat32 ? static_cast<double>(single) : value;
    return true;
  }

  bool Integer(const std::string& key, uint32_t type) {
    const uint64_t width = kWidths[type];
    uint64_t raw = 0;
    if (width > bytes_.size() - at_) return false;
    std::memcpy(&raw, bytes_.data() + at_, width);
    at_ += width;
    auto value = static_cast<int64_t>(raw);
    if (type == kInt8) value = static_cast<int8_t>(raw);
    if (type == kInt16) value = static_cast<int16_t>(raw);
    if (type == kInt32) value = static_cast<int32_t>(raw);
    const bool too_large = type == kUint64 && raw > uint64_t{std::numeric_limits<int64_t>::max()};
    if (IsSize(key) && (too_large || value < 0 || value > kLargestSize)) {
      return Break(fmt::format("'{}' is {}, beyond any model's", key,
                               too_large ? std::to_string(raw) : std::to_string(value)));
    }
    if (!too_large) facts_.integers[key] = value;
    return true;
  }

  bool Array(const std::string& key) {
    uint32_t type = 0;
    uint64_t count = 0;
    if (!Read(type) || !Read(count)) return false;
    if (type >= kTypeCount || type == kArray)
      return Break(fmt::format("'{}': a strange list", key));
    if (count > static_cast<uint64_t>(kMaxGgufBytes)) {
      return Break(fmt::format("'{}' claims {} elements", key, count));
    }
    facts_.array_sizes[key] = static_cast<int64_t>(count);
    if (type != kString) {
      // One number for each layer: the largest is what memory has to be planned for.
      if (key.ends_with(".head_count_kv") || key.ends_with(".head_count") ||
          key.ends_with(".feed_forward_length") || key.ends_with(".sliding_window_pattern")) {
        return NumberList(key, type, count);
      }
      return Skip(count * kWidths[type]);
    }
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t length = 0;
      if (!Read(length) || !Skip(length)) return false;
    }
    return true;
  }

  bool NumberList(const std::string& key, uint32_t type, uint64_t count) {
    int64_t largest = 0;
    int64_t used = 0;
    for (uint64_t i = 0; i < count; ++i) {
      if (!Integer(key, type)) return false;
      largest = std::max(largest, facts_.integers[key]);
      if (facts_.integers[key] > 0) ++used;
    }
    facts_.integers[key] = largest;
    facts_.integers[key + ".layers"] = used;  // layers that have it at all
    return true;
  }

  bool Tensors() {
    for (uint64_t i = 0; i < tensors_; ++i) {
      std::string_view name;
      uint32_t dimensions = 0;
      if (!ReadString(name, kMaxTensorName, "a tensor name") || !Read(dimensions)) return false;
      if (dimensions > 4) return Break(fmt::format("a tensor of {} dimensions", dimensions));
      if (!Tensor(dimensions)) return false;
    }
    return true;
  }

  bool Tensor(uint32_t dimensions) {
    uint64_t elements = 1;
    constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    for (uint32_t d = 0; d < dimensions; ++d) {
      uint64_t size = 0;
      if (!Read(size)) return false;
      if (size != 0 && elements > kMost / size) return Break("a tensor larger than 2^63");
      elements *= size;
    }
    uint32_t id = 0;
    uint64_t offset = 0;
    if (!Read(id) || !Read(offset)) return false;
    const BlockType* type = FindBlockType(id);
    const uint64_t blocks = type == nullptr ? 0 : elements / type->elements;
    const bool huge = type != nullptr && blocks > kMost / type->bytes;
    const uint64_t bytes = type == nullptr || huge ? 0 : blocks * type->bytes;
    // A type that is not known has at least one bit for each element.
    const uint64_t least = type == nullptr ? elements / 8 : bytes;
    if (huge || offset > kMost || least > file_size_) {
      return Break("a tensor that is larger than the file");
    }
    spans_.emplace_back(offset, offset + least);
    if (elements > kMost - static_cast<uint64_t>(facts_.parameters) ||
        bytes > kMost - static_cast<uint64_t>(facts_.tensor_bytes)) {
      return Break("sums beyond 2^63");
    }
    facts_.parameters += static_cast<int64_t>(elements);
    facts_.tensor_bytes += static_cast<int64_t>(bytes);
    const std::string name = type == nullptr ? "other" : std::string(type->name);
    facts_.tensors_by_type[name] += static_cast<int64_t>(elements);
    return true;
  }

  // Tensors lie behind the header, aligned, and each in bytes of its own.
  bool Fits() {
    const auto split = facts_.integers.find("split.count");
    const bool whole = split == facts_.integers.end() || split->second < 2;
    if (tensors_ == 0 && whole && file_size_ < at_ + kSomething) return Break("it has no tensors");
    const auto said = facts_.integers.find("general.alignment");
    const bool sane = said != facts_.integers.end() && said->second > 0 && said->second <= 65'536;
    const uint64_t alignment = sane ? static_cast<uint64_t>(said->second) : 32;
    const uint64_t data = (at_ + alignment - 1) / alignment * alignment;
    std::sort(spans_.begin(), spans_.end());
    uint64_t end = 0;
    for (const auto& [begin, until] : spans_) {
      if (begin < end) return Break("its tensors overlap");
      end = std::max(end, until);
    }
    if (end > 0 && (data > file_size_ || end > file_size_ - data)) {
      return Break(
          fmt::format("its tensors need {} bytes, and the file has {}", data + end, file_size_));
    }
    return true;
  }

  std::string_view bytes_;
  const uint64_t file_size_;
  GgufFacts& facts_;
  std::vector<std::pair<uint64_t, uint64_t>> spans_;  // in the data, of each tensor
  size_t at_ = 0;
  uint64_t tensors_ = 0;
  uint64_t keys_ = 0;
  std::set<std::string_view> seen_;
  std::string broken_;
};

}  // namespace

GgufRead ReadGgufHeader(std::string_view prefix, int64_t file_size, GgufFacts& facts) {
  facts = GgufFacts{.file = facts.file};
  return Walker(prefix, file_size, facts).Walk();
}

}  // namespace llmd::detectors
