// StaticFiles: the dashboard, read into memory once. No request ever opens a file, so no path leads
// out of the folder. Immutable after Load; thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmd::gateway {

class StaticFiles {
 public:
  struct File {
    std::string content;
    std::string type;
    std::string etag;
    bool immutable = false;  // its name carries a hash of its content
  };

  // Every regular file below `folder`; links are left out. An absent folder yields no files.
  // kResourceExhausted (code "dashboard_too_large") above 64 MiB.
  static StatusOr<StaticFiles> Load(const std::filesystem::path& folder);

  // The file at a request's path. For a path that looks like a page (no dot in its last part) the
  // page itself: it routes by itself. Null when there is none.
  const File* Find(std::string_view path) const;

  bool empty() const { return files_.empty(); }

 private:
  std::map<std::string, File, std::less<>> files_;  // by path: "/assets/index-1a2b.js"
};

}  // namespace llmd::gateway
