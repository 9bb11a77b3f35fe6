#include "golden/weight_heads.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "detectors/probe_safetensors.h"

namespace llmd::testing {
namespace {

using nlohmann::json;

template <typename T>
void Append(std::string& bytes, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

void AppendString(std::string& bytes, const std::string& text) {
  Append<uint64_t>(bytes, text.size());
  bytes += text;
}

uint32_t GgufTypeOf(const json& value) {
  if (value.is_boolean()) return 7;
  if (value.is_string()) return 8;
  if (value.is_array()) return 9;
  if (value.is_number_float()) return 6;
  const bool small = value.is_number_unsigned() && value.get<uint64_t>() <= 0xFFFF'FFFF;
  return small ? 4 : 11;
}

void AppendGgufValue(std::string& bytes, const json& value) {
  switch (GgufTypeOf(value)) {
    case 7: return Append<uint8_t>(bytes, value.get<bool>() ? 1 : 0);
    case 8: return AppendString(bytes, value.get<std::string>());
    case 6: return Append<float>(bytes, value.get<float>());
    case 4: return Append<uint32_t>(bytes, value.get<uint32_t>());
    case 11: return Append<int64_t>(bytes, value.get<int64_t>());
    default:
      Append<uint32_t>(bytes, value.empty() ? 4 : GgufTypeOf(value.front()));
      Append<uint64_t>(bytes, value.size());
      for (const json& item : value) AppendGgufValue(bytes, item);
  }
}

std::string HeaderDtype(const std::string& torch_dtype) {
  if (torch_dtype == "float32") return "F32";
  if (torch_dtype == "bfloat16") return "BF16";
  if (torch_dtype == "float8_e4m3fn") return "F8_E4M3";
  return "F16";
}

// The header's text, with one more tensor that has the rest of the file: keys are only sampled, and
// what a tensor of no known type counts is nothing.
std::string Complete(json header, int64_t at, int64_t size) {
  const size_t length = header.dump().size() + 128;
  const int64_t end = size - 8 - static_cast<int64_t>(length);
  if (end <= at) return header.dump();
  header["rest"] = {{"dtype", "OTHER"}, {"shape", {0}}, {"data_offsets", {at, end}}};
  std::string text = header.dump();
  text.resize(length, ' ');
  return text;
}

}  // namespace

std::string GgufHead(const json& keys) {
  std::string bytes = "GGUF";
  Append<uint32_t>(bytes, 3);
  Append<int64_t>(bytes, 1);
  Append<int64_t>(bytes, static_cast<int64_t>(keys.size()));
  for (const auto& [key, value] : keys.items()) {
    AppendString(bytes, key);
    Append<uint32_t>(bytes, GgufTypeOf(value));
    AppendGgufValue(bytes, value);
  }
  AppendString(bytes, "token_embd.weight");
  Append<uint32_t>(bytes, 1);
  Append<int64_t>(bytes, 32);
  Append<uint32_t>(bytes, 0);
  Append<uint64_t>(bytes, 0);
  return bytes;
}

std::string SafetensorsHead(const json& info, int64_t size, const std::string& torch_dtype) {
  std::vector<std::pair<std::string, int64_t>> counts;
  const json types = info.value("tensors", json::object());
  for (const auto& [dtype, count] : types.items()) {
    counts.emplace_back(dtype, count.is_number() ? count.get<int64_t>() : 0);
  }
  if (counts.empty()) counts.emplace_back(HeaderDtype(torch_dtype), 0);
  std::vector<std::string> names = info.value("keys_sample", std::vector<std::string>());
  if (names.empty()) names = {"model.weight"};
  const json shapes = info.value("shapes", json::object());
  const int64_t budget = std::max<int64_t>(size - 8 - 65'536, 0);
  const auto many = static_cast<int64_t>(names.size());
  json header = json::object();
  int64_t at = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto& [dtype, count] = counts[std::min(i, counts.size() - 1)];
    const int64_t width = std::max<int64_t>(detectors::BytesOfDtype(dtype), 1);
    json shape = json::array({count > 0 ? count / many : budget / width / many});
    if (shapes.contains(names[i])) shape = shapes.at(names[i]);
    int64_t length = width;
    for (const json& dimension : shape) length *= dimension.get<int64_t>();
    header[names[i]] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {at, at + length}}};
    at += length;
  }
  const std::string text = Complete(header, at, size);
  std::string bytes;
  Append<uint64_t>(bytes, text.size());
  return bytes + text;
}

}  // namespace llmd::testing
