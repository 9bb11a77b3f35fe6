#include "domain/json_fields.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace llmd {
namespace {

using nlohmann::json;

Status Fault(const std::string& where, std::string_view what) {
  return MakeStatus(StatusCode::kInvalidArgument, fmt::format("{} is not {}", where, what),
                    {.code = "invalid_json", .next_step = ""});
}

// Whole numbers only; a number beyond 64 bits is refused rather than wrapped.
std::optional<int64_t> WholeNumber(const json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  return std::nullopt;
}

}  // namespace

JsonFields::JsonFields(const json& object, std::string where)
    : object_(&object), where_(std::move(where)) {
  if (!object_->is_object()) status_ = Fault(where_, "an object");
}

const json* JsonFields::Find(const char* key) const {
  if (!object_->is_object()) return nullptr;
  const auto at = object_->find(key);
  return at == object_->end() ? nullptr : &*at;
}

std::optional<JsonFields> JsonFields::Nested(const char* key) const {
  const json* value = Find(key);
  if (value == nullptr) return std::nullopt;
  return JsonFields(*value, Where(key));
}

std::optional<std::vector<JsonFields>> JsonFields::Elements(const char* key) {
  const json* value = Find(key);
  if (value == nullptr || !Expect(value->is_array(), key, "an array")) return std::nullopt;
  std::vector<JsonFields> elements;
  for (const json& item : *value) {
    elements.push_back(JsonFields(item, fmt::format("{}[{}]", Where(key), elements.size())));
  }
  return elements;
}

bool JsonFields::Expect(bool holds, const char* key, std::string_view what) {
  if (!holds) Keep(Fault(Where(key), what));
  return holds;
}

void JsonFields::Read(const char* key, bool& out) {
  const json* value = Find(key);
  if (value != nullptr && Expect(value->is_boolean(), key, "true or false")) {
    out = value->get<bool>();
  }
}

void JsonFields::Read(const char* key, std::string& out) {
  const json* value = Find(key);
  if (value != nullptr && Expect(value->is_string(), key, "a text")) {
    out = value->get_ref<const std::string&>();
  }
}

void JsonFields::Read(const char* key, int64_t& out) {
  const json* value = Find(key);
  if (value == nullptr) return;
  const std::optional<int64_t> number = WholeNumber(*value);
  if (Expect(number.has_value(), key, "a whole number of 64 bits")) out = *number;
}

void JsonFields::Read(const char* key, int& out) {
  int64_t number = out;
  Read(key, number);
  const bool fits =
      number >= std::numeric_limits<int>::min() && number <= std::numeric_limits<int>::max();
  if (Expect(fits, key, "a whole number of 32 bits")) out = static_cast<int>(number);
}

void JsonFields::Read(const char* key, std::vector<std::string>& out) {
  const json* value = Find(key);
  if (value == nullptr || !Expect(value->is_array(), key, "an array of texts")) return;
  std::vector<std::string> texts;
  for (const json& item : *value) {
    if (!Expect(item.is_string(), key, "an array of texts")) return;
    texts.push_back(item.get<std::string>());
  }
  out = std::move(texts);
}

void JsonFields::Read(const char* key, std::map<std::string, std::string>& out) {
  const json* value = Find(key);
  if (value == nullptr || !Expect(value->is_object(), key, "an object of texts")) return;
  std::map<std::string, std::string> texts;
  for (const auto& [name, item] : value->items()) {
    if (!Expect(item.is_string(), key, "an object of texts")) return;
    texts.emplace(name, item.get<std::string>());
  }
  out = std::move(texts);
}

void JsonFields::Read(const char* key, std::optional<std::string>& out) {
  const json* value = Find(key);
  if (value == nullptr) return;
  if (value->is_null()) {
    out.reset();
  } else if (Expect(value->is_string(), key, "a text or null")) {
    out = value->get<std::string>();
  }
}

void JsonFields::Read(const char* key, std::optional<int64_t>& out) {
  const json* value = Find(key);
  if (value == nullptr) return;
  if (value->is_null()) {
    out.reset();
    return;
  }
  const std::optional<int64_t> number = WholeNumber(*value);
  if (Expect(number.has_value(), key, "a whole number of 64 bits or null")) out = number;
}

}  // namespace llmd
