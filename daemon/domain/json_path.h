// Looking into JSON that may be anything: never throws, never converts.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace llmd {

// The value at a JSON pointer ("/architectures/0"); nullptr when there is none.
const nlohmann::json* JsonAt(const nlohmann::json& document, std::string_view pointer);

// A member of an object; nullptr when `object` is null, is no object or lacks it.
const nlohmann::json* JsonMember(const nlohmann::json* object, std::string_view key);

// Typed members; empty or nullopt when missing or of another type.
std::string JsonText(const nlohmann::json* object, std::string_view key);
std::optional<bool> JsonBool(const nlohmann::json* object, std::string_view key);
// Integers from 0 to 2^40, also when written as a whole floating number.
std::optional<int64_t> JsonSize(const nlohmann::json* object, std::string_view key);
std::optional<int64_t> AsSize(const nlohmann::json& value);

// The largest size that is believed of a configuration.
inline constexpr int64_t kMaxJsonSize = int64_t{1} << 40;

}  // namespace llmd
