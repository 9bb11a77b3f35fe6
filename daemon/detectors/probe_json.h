// Reads the small JSON files of a repository the way the Python libraries do: duplicate keys (the
// last one counts), NaN and Infinity (read as null) and a byte order mark are fine; UTF-16, broken
// or outsized documents are not. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "domain/facts.h"

namespace llmd::detectors {

// Genuine configurations of over 2 MB exist.
inline constexpr size_t kMaxJsonBytes = 8u << 20;

// `path` names the document in errors ("config.json:1:7: ..."). The result has json or error.
Document ReadJsonDocument(std::string_view path, std::string text);

}  // namespace llmd::detectors
