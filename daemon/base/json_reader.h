// JSON from outside, read within bounds. The document is checked while it is scanned, before any
// tree is built, so that depth or size bombs cost neither stack nor memory. Thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/status.h"

namespace llmd {

struct JsonLimits {
  size_t max_bytes = 8u << 20;
  size_t max_depth = 64;
  size_t max_nodes = 200'000;
  // Two equal keys in one object: refused, or the last one wins (as most readers do).
  bool allow_duplicate_keys = false;
};

// Parses one JSON document. A UTF-8 byte order mark is accepted; UTF-16 is not. `source` names the
// document in errors. kInvalidArgument (code "invalid_json") or kResourceExhausted (code
// "json_too_large") with line and column.
StatusOr<nlohmann::json> ParseJson(std::string_view text, std::string_view source,
                                   const JsonLimits& limits = {});

StatusOr<nlohmann::json> ReadJsonFile(const std::filesystem::path& path,
                                      const JsonLimits& limits = {});

}  // namespace llmd
