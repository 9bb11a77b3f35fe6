#include "domain/json_path.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace llmd {

using nlohmann::json;

const json* JsonMember(const json* object, std::string_view key) {
  if (object == nullptr || !object->is_object()) return nullptr;
  const auto at = object->find(key);
  return at == object->end() ? nullptr : &*at;
}

namespace {

const json* Step(const json& node, const std::string& part) {
  if (node.is_object()) return JsonMember(&node, part);
  if (!node.is_array()) return nullptr;
  size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  if (error != std::errc() || end != part.data() + part.size()) return nullptr;
  return index < node.size() ? &node[index] : nullptr;
}

// "~1" stands for '/', "~0" for '~'.
std::string Unescape(std::string_view part) {
  std::string text;
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '~' && i + 1 < part.size()) {
      text.push_back(part[++i] == '1' ? '/' : '~');
    } else {
      text.push_back(part[i]);
    }
  }
  return text;
}

}  // namespace

const json* JsonAt(const json& document, std::string_view pointer) {
  const json* node = &document;
  while (!pointer.empty()) {
    if (pointer.front() != '/') return nullptr;
    pointer.remove_prefix(1);
    const size_t end = std::min(pointer.find('/'), pointer.size());
    node = Step(*node, Unescape(pointer.substr(0, end)));
    if (node == nullptr) return nullptr;
    pointer.remove_prefix(end);
  }
  return node;
}

std::string JsonText(const json* object, std::string_view key) {
  const json* value = JsonMember(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::optional<bool> JsonBool(const json* object, std::string_view key) {
  const json* value = JsonMember(object, key);
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

std::optional<int64_t> AsSize(const json& value) {
  if (value.is_number_unsigned()) {
    const uint64_t number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(kMaxJsonSize)) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) {
    const int64_t number = value.get<int64_t>();
    return number >= 0 && number <= kMaxJsonSize ? std::optional(number) : std::nullopt;
  }
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!(number >= 0) || number > static_cast<double>(kMaxJsonSize)) return std::nullopt;
    if (std::floor(number) != number) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  return std::nullopt;
}

std::optional<int64_t> JsonSize(const json* object, std::string_view key) {
  const json* value = JsonMember(object, key);
  return value == nullptr ? std::nullopt : AsSize(*value);
}

}  // namespace llmd
