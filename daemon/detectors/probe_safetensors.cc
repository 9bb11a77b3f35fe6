#include "detectors/probe_safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "domain/names.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

struct DtypeSize {
  std::string_view name;
  int64_t bytes;
};
constexpr std::array kDtypes = {
    DtypeSize{"F64", 8},     DtypeSize{"I64", 8},     DtypeSize{"U64", 8}, DtypeSize{"F32", 4},
    DtypeSize{"I32", 4},     DtypeSize{"U32", 4},     DtypeSize{"F16", 2}, DtypeSize{"BF16", 2},
    DtypeSize{"I16", 2},     DtypeSize{"U16", 2},     DtypeSize{"U8", 1},  DtypeSize{"I8", 1},
    DtypeSize{"F8_E4M3", 1}, DtypeSize{"F8_E5M2", 1}, DtypeSize{"BOOL", 1}};

constexpr size_t kMaxNameBytes = 1'024;
constexpr size_t kMaxDimensions = 32;
constexpr size_t kMaxDtypes = 32;

struct Tensor {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> offsets;
};

// Takes the header apart while it is parsed, one tensor at a time: the tree of a 25 MB header would
// cost ten times its size.
class HeaderReader : public nlohmann::json_sax<json> {
 public:
  HeaderReader(int64_t data_bytes, SafetensorsFacts& facts)
      : data_bytes_(static_cast<uint64_t>(data_bytes)), facts_(facts) {}

  bool null() override { return Value(); }
  bool boolean(bool) override { return Value(); }
  bool number_integer(number_integer_t) override { return Refuse("a negative number"); }
  bool number_unsigned(number_unsigned_t number) override {
    if (list_ == nullptr) return Value();
    if (list_->size() >= kMaxDimensions) return Refuse("too many dimensions");
    list_->push_back(number);
    return true;
  }
  bool number_float(number_float_t, const string_t&) override {
    return list_ == nullptr ? Value() : Refuse("a fraction or a number beyond 64 bits");
  }
  bool string(string_t& text) override {
    if (depth_ == 2 && key_ == "dtype" && !metadata_) tensor_.dtype = text.substr(0, kMaxNameBytes);
    return Value();
  }
  bool binary(binary_t&) override { return Refuse("binary data"); }
  bool start_object(std::size_t) override {
    if (++depth_ > 2) return Refuse("nested objects");
    if (depth_ == 2) {
      metadata_ = name_ == "__metadata__";
      tensor_ = {.name = name_};
    }
    return true;
  }
  bool end_object() override {
    if (depth_ == 2 && !metadata_ && !Finish()) return false;
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || metadata_ || list_ != nullptr) return Refuse("an unexpected list");
    if (key_ == "shape") list_ = &tensor_.shape;
    if (key_ == "data_offsets") list_ = &tensor_.offsets;
    return list_ != nullptr || Refuse("an unexpected list");
  }
  bool end_array() override {
    list_ = nullptr;
    return true;
  }
  bool key(string_t& text) override {
    if (text.size() > kMaxNameBytes) return Refuse("a name of over 1,024 bytes");
    (depth_ == 1 ? name_ : key_) = text;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Refuse(fmt::format("not JSON at byte {}", position));
  }

  // No tensor may share bytes with another, or leave some to none. What stands behind the last one
  // does no harm.
  bool Covers() {
    std::sort(spans_.begin(), spans_.end());
    uint64_t at = 0;
    for (const auto& [begin, end] : spans_) {
      if (begin < at) return Refuse(fmt::format("tensors overlap at byte {} of the data", begin));
      if (begin > at) {
        return Refuse(fmt::format("no tensor has the bytes {} to {} of the data", at, begin));
      }
      at = end;
    }
    return true;
  }

  const std::string& refusal() const { return refusal_; }

 private:
  // Scalars stand inside of tensors only.
  bool Value() { return depth_ == 2 || Refuse("not an object of tensors"); }
  bool Refuse(std::string why) {
    if (refusal_.empty()) refusal_ = std::move(why);
    return false;
  }

  bool Finish() {
    if (tensor_.offsets.size() != 2 || tensor_.dtype.empty()) {
      return Refuse(fmt::format("tensor '{}' lacks its type or offsets", tensor_.name));
    }
    const auto [begin, end] = std::pair(tensor_.offsets[0], tensor_.offsets[1]);
    if (begin > end || end > data_bytes_) {
      return Refuse(fmt::format("tensor '{}' lies beyond the file", tensor_.name));
    }
    uint64_t elements = 1;
    for (const uint64_t dimension : tensor_.shape) {
      if (dimension != 0 && elements > uint64_t{std::numeric_limits<int64_t>::max()} / dimension) {
        return Refuse(fmt::format("tensor '{}' is larger than 2^63", tensor_.name));
      }
      elements *= dimension;
    }
    const auto width = static_cast<uint64_t>(BytesOfDtype(tensor_.dtype));
    // Checked by division: the product may not fit.
    if (width != 0 && (end - begin) / width != elements) {
      return Refuse(fmt::format("tensor '{}': shape and offsets disagree", tensor_.name));
    }
    if (begin < end) spans_.emplace_back(begin, end);
    return Count(elements, end - begin);
  }

  bool Count(uint64_t elements, uint64_t bytes) {
    auto& counts = facts_.parameters_by_dtype;
    if (counts.size() >= kMaxDtypes && !counts.contains(tensor_.dtype)) {
      return Refuse("too many types");
    }
    const auto most = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (elements > most - static_cast<uint64_t>(facts_.parameters) ||
        bytes > most - static_cast<uint64_t>(facts_.weight_bytes)) {
      return Refuse("sums beyond 2^63");
    }
    counts[tensor_.dtype] += static_cast<int64_t>(elements);
    facts_.parameters += static_cast<int64_t>(elements);
    facts_.weight_bytes += static_cast<int64_t>(bytes);
    if (facts_.tensor_names.size() < kMaxTensorNames) {
      facts_.tensor_names.push_back(SanitizeForTerminal(tensor_.name));
    }
    return true;
  }

  const uint64_t data_bytes_;
  SafetensorsFacts& facts_;
  int depth_ = 0;
  bool metadata_ = false;
  std::string name_;
  std::string key_;
  Tensor tensor_;
  std::vector<uint64_t>* list_ = nullptr;
  std::vector<std::pair<uint64_t, uint64_t>> spans_;
  std::string refusal_;
};

}  // namespace

int64_t BytesOfDtype(std::string_view dtype) {
  for (const DtypeSize& known : kDtypes) {
    if (known.name == dtype) return known.bytes;
  }
  return 0;
}

StatusOr<int64_t> SafetensorsHeaderLength(std::string_view first_bytes, int64_t file_size) {
  if (first_bytes.starts_with("version https://git-lfs")) {
    return InvalidArgument("a Git LFS pointer stands in place of the weights");
  }
  if (first_bytes.size() < 8) {
    return InvalidArgument("broken: {} bytes are no safetensors file", first_bytes.size());
  }
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) {
    length = (length << 8) | static_cast<unsigned char>(first_bytes[static_cast<size_t>(i)]);
  }
  if (length < 2 || length > static_cast<uint64_t>(kMaxSafetensorsHeader) ||
      static_cast<int64_t>(length) > file_size - 8) {
    return InvalidArgument("broken: no safetensors file of {} bytes has a header of {} bytes",
                           file_size, length);
  }
  return static_cast<int64_t>(length);
}

Status AddSafetensorsHeader(std::string_view path, std::string_view header, int64_t file_size,
                            SafetensorsFacts& facts) {
  const int64_t data_bytes = file_size - 8 - static_cast<int64_t>(header.size());
  if (data_bytes < 0) return InvalidArgument("{}: the header is longer than the file", path);
  SafetensorsFacts sum = facts;  // untouched when the header turns out broken
  HeaderReader reader(data_bytes, sum);
  if (!json::sax_parse(header, &reader) || !reader.Covers()) {
    return InvalidArgument("{}: broken safetensors header: {}", path, reader.refusal());
  }
  sum.files.emplace_back(path);
  std::sort(sum.tensor_names.begin(), sum.tensor_names.end());
  facts = std::move(sum);
  return OkStatus();
}

}  // namespace llmd::detectors
