#include "gateway/static_files.h"

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "gateway/routes.h"

namespace llmd::gateway {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxBytes = 64u << 20;

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".css", "text/css; charset=utf-8"},
    {".html", "text/html; charset=utf-8"},
    {".ico", "image/x-icon"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".png", "image/png"},
    {".svg", "image/svg+xml"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
};

std::string_view TypeOf(const std::string& extension) {
  const auto* at = std::find_if(std::begin(kTypes), std::end(kTypes),
                                [&](const auto& row) { return row.first == extension; });
  return at == std::end(kTypes) ? "application/octet-stream" : at->second;
}

}  // namespace

StatusOr<StaticFiles> StaticFiles::Load(const fs::path& folder) {
  StaticFiles result;
  std::error_code error;
  if (folder.empty() || !fs::is_directory(folder, error)) return result;
  size_t total = 0;
  auto at = fs::recursive_directory_iterator(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_symlink(error) || !at->is_regular_file(error)) continue;
    LLMD_ASSIGN_OR_RETURN(std::string content, ReadFile(at->path(), kMaxBytes));
    total += content.size();
    if (total > kMaxBytes) {
      return MakeStatus(StatusCode::kResourceExhausted,
                        fmt::format("the files in {} are over 64 MiB", folder.string()),
                        {.code = "dashboard_too_large", .next_step = ""});
    }
    const std::string name = "/" + fs::relative(at->path(), folder, error).generic_string();
    File file{.content = std::move(content), .type = std::string(TypeOf(at->path().extension()))};
    file.etag = '"' + Sha256Hex(file.content).substr(0, 32) + '"';
    file.immutable = name.starts_with("/assets/");
    result.files_.emplace(name, std::move(file));
  }
  if (error) return ErrnoStatus(error.value(), folder.string());
  return result;
}

const StaticFiles::File* StaticFiles::Find(std::string_view path) const {
  std::string name;
  if (!PercentDecode(path, name) || name.find('\\') != name.npos) return nullptr;
  if (const auto at = files_.find(name); at != files_.end()) return &at->second;
  const std::string_view last = std::string_view(name).substr(name.rfind('/') + 1);
  if (last.find('.') != last.npos) return nullptr;
  const auto page = files_.find("/index.html");
  return page == files_.end() ? nullptr : &page->second;
}

}  // namespace llmd::gateway
