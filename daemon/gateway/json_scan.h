// Finds the top-level members of a JSON object in a request's body without building anything: the
// proxy needs a name and a flag out of up to 32 MiB. Not a validator: what it accepts may still be
// bad JSON, which the model server refuses. But where two readers could disagree about a member
// (two equal keys, escapes in a key) it refuses. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llmd::gateway {

struct Range {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

struct JsonMember {
  std::string_view key;    // without its quotes; it has no escapes
  std::string_view value;  // as it stands there
  Range value_range;
  Range range;  // key and value
};

// All members in their order. kInvalidArgument (code "invalid_json", "duplicate_key").
StatusOr<std::vector<JsonMember>> ScanObject(std::string_view json);

// How many elements an array has at its top level; 0 for anything else.
size_t CountElements(std::string_view array);

// The text of a JSON string (with its quotes). Nothing when it is not one, has bad escapes, control
// characters or invalid UTF-8, or is longer than `max_bytes`.
std::optional<std::string> DecodeString(std::string_view value, size_t max_bytes);

// `text`, valid UTF-8, as a JSON string with its quotes.
std::string QuoteString(std::string_view text);

}  // namespace llmd::gateway
