#include "render/json.h"

#include <fmt/core.h>
#include <google/protobuf/descriptor.h>

#include <cstdio>
#include <nlohmann/json.hpp>

namespace llmd::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using nlohmann::ordered_json;

// One value: of a singular field when `index` is negative, else of a repeated one.
ordered_json Value(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool one = index < 0;
#define LLMD_FIELD_VALUE_(TYPE)                \
  (one ? reflection.Get##TYPE(message, &field) \
       : reflection.GetRepeated##TYPE(message, &field, index))
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: return LLMD_FIELD_VALUE_(Int32);
    case FieldDescriptor::CPPTYPE_INT64: return LLMD_FIELD_VALUE_(Int64);
    case FieldDescriptor::CPPTYPE_UINT32: return LLMD_FIELD_VALUE_(UInt32);
    case FieldDescriptor::CPPTYPE_UINT64: return LLMD_FIELD_VALUE_(UInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE: return LLMD_FIELD_VALUE_(Double);
    case FieldDescriptor::CPPTYPE_FLOAT: return LLMD_FIELD_VALUE_(Float);
    case FieldDescriptor::CPPTYPE_BOOL: return LLMD_FIELD_VALUE_(Bool);
    case FieldDescriptor::CPPTYPE_STRING: return LLMD_FIELD_VALUE_(String);
    case FieldDescriptor::CPPTYPE_ENUM: return LLMD_FIELD_VALUE_(EnumValue);
    case FieldDescriptor::CPPTYPE_MESSAGE: return ToJson(LLMD_FIELD_VALUE_(Message));
  }
#undef LLMD_FIELD_VALUE_
  return nullptr;
}

ordered_json FieldToJson(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    ordered_json list = ordered_json::array();
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      list.push_back(Value(message, field, i));
    }
    return list;
  }
  if (field.has_presence() && !reflection.HasField(message, &field)) return nullptr;
  return Value(message, field, -1);
}

}  // namespace

ordered_json ToJson(const Message& message) {
  ordered_json object = ordered_json::object();
  const auto& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    object[field.name()] = FieldToJson(message, field);
  }
  return object;
}

std::string ToJsonText(const Message& message) { return ToJsonText(ToJson(message)); }

std::string ToJsonText(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void PrintJsonLine(const ordered_json& json) {
  fmt::print("{}\n", json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  std::fflush(stdout);
}

}  // namespace llmd::client
