// What a repository holds: names, sizes and hashes, from whichever source. Plain data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmd {

inline constexpr size_t kMaxInventoryEntries = 100'000;

struct FileEntry {
  std::string path;     // inside the repository, '/'-separated, checked by ValidateRepoPath
  int64_t size = 0;     // bytes
  std::string sha256;   // lower-case hex; empty when the source does not say (small git files)
  std::string git_oid;  // SHA-1 of the git blob; empty when the source does not say
};

struct FileInventory {
  std::vector<FileEntry> files;  // sorted by path, each path once

  // nullptr when there is no such file.
  const FileEntry* Find(std::string_view path) const {
    const auto at = std::lower_bound(
        files.begin(), files.end(), path,
        [](const FileEntry& entry, std::string_view wanted) { return entry.path < wanted; });
    return at != files.end() && at->path == path ? &*at : nullptr;
  }
};

}  // namespace llmd
