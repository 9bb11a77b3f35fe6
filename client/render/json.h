// Prints any message as JSON, as the contract wants it: snake_case names, every field always
// present, unknown scalars and messages as null, 64-bit numbers as numbers.
#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace llmd::client {

nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

// Indented, with a newline at the end.
std::string ToJsonText(const google::protobuf::Message& message);
std::string ToJsonText(const nlohmann::ordered_json& json);

// One object on one line of stdout, at once: for streams.
void PrintJsonLine(const nlohmann::ordered_json& json);

}  // namespace llmd::client
