// Files of a cache: each begins with the digest of what follows, so that a torn or damaged one
// counts as missing. Written by rename, without waiting for the disk. Thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace llmd::hub {

// nullopt when it is not there, over `max_bytes`, or not what was written.
std::optional<std::string> ReadChecked(const std::filesystem::path& path, size_t max_bytes);

// Replaces the file; false when that was not possible. Its folder must exist.
bool WriteChecked(const std::filesystem::path& path, std::string_view content);

}  // namespace llmd::hub
