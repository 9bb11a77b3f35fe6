#include "hub/metadata_cache.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_reader.h"
#include "domain/names.h"
#include "hub/checked_file.h"
#include "hub/repository_info.h"

namespace llmd::hub {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kMaxInfoBytes = 4u << 20;
constexpr size_t kMaxListBytes = 128u << 20;
constexpr size_t kMaxRepositories = 100;
constexpr size_t kMaxEntries = 8;  // of one repository: revisions and commits
constexpr size_t kNameLength = 32;

std::string NameOf(std::string_view text) { return Sha256Hex(text).substr(0, kNameLength); }

// Removes what was not touched longest, so that `keep` entries stay.
void Prune(const fs::path& folder, size_t keep) {
  std::vector<std::pair<fs::file_time_type, fs::path>> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.emplace_back(at->last_write_time(error), at->path());
  }
  if (entries.size() <= keep) return;
  std::sort(entries.begin(), entries.end());
  entries.resize(entries.size() - keep);
  for (const auto& [time, path] : entries) fs::remove_all(path, error);
}

void Touch(const fs::path& path) {
  std::error_code error;
  fs::last_write_time(path, fs::file_time_type::clock::now(), error);
}

json ToJson(const RepositoryInfo& info) {
  json object = {{"repo_id", info.repo_id},
                 {"revision", info.revision.value_or("")},
                 {"gated", info.gated},
                 {"private", info.is_private},
                 {"tags", info.tags}};
  const auto add = [&object](const char* key, const std::optional<std::string>& value) {
    if (value) object[key] = *value;
  };
  add("pipeline_tag", info.pipeline_tag);
  add("library_name", info.library_name);
  add("license", info.license);
  add("base_model", info.base_model);
  return object;
}

std::optional<std::string> Text(const json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

std::optional<RepositoryInfo> FromJson(const json& object) {
  if (!object.is_object()) return std::nullopt;
  RepositoryInfo info{.repo_id = Text(object, "repo_id").value_or(""),
                      .source = "hub",
                      .revision = Text(object, "revision"),
                      .pipeline_tag = Text(object, "pipeline_tag"),
                      .library_name = Text(object, "library_name"),
                      .license = Text(object, "license"),
                      .base_model = Text(object, "base_model")};
  if (!ValidateRepoId(info.repo_id).ok() || !info.revision || !IsHex(*info.revision, 40)) {
    return std::nullopt;
  }
  const auto is_true = [&object](const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_boolean() && at->get<bool>();
  };
  info.gated = is_true("gated");
  info.is_private = is_true("private");
  if (const auto tags = object.find("tags"); tags != object.end() && tags->is_array()) {
    for (const json& tag : *tags) {
      if (tag.is_string()) info.tags.push_back(tag);
    }
  }
  return info;
}

std::optional<RepositoryInfo> ReadInfo(const fs::path& file) {
  const auto text = ReadChecked(file, kMaxInfoBytes);
  if (!text) return std::nullopt;
  const StatusOr<json> object = ParseJson(*text, file.string());
  return object.ok() ? FromJson(*object) : std::nullopt;
}

// "<size> <sha256 or -> <git oid or -> <path>"; a path may hold spaces.
bool ParseLine(std::string_view line, FileEntry& file) {
  std::string_view fields[3];
  for (std::string_view& field : fields) {
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return false;
    field = line.substr(0, space);
    line.remove_prefix(space + 1);
  }
  const char* const end = fields[0].data() + fields[0].size();
  const auto [parsed, error] = std::from_chars(fields[0].data(), end, file.size);
  if (error != std::errc() || parsed != end || file.size < 0) return false;
  if (fields[1] != "-") file.sha256 = fields[1];
  if (fields[2] != "-") file.git_oid = fields[2];
  file.path = line;
  return ValidateRepoPath(file.path).ok();
}

}  // namespace

fs::path MetadataCache::RepositoryFolder(const std::string& endpoint,
                                         const std::string& repo_id) const {
  return folder_ / NameOf(endpoint + "\n" + repo_id);
}

std::optional<RepositoryInfo> MetadataCache::FindInfo(const std::string& endpoint,
                                                      const std::string& repo_id,
                                                      const std::string& revision) const {
  if (folder_.empty()) return std::nullopt;
  const fs::path folder = RepositoryFolder(endpoint, repo_id);
  auto known = ReadInfo(folder / ("ref-" + NameOf(revision)));
  if (known || !IsHex(revision, 40)) return known;
  // A commit that was met under another name is known by its own, too.
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().string().starts_with("ref-")) continue;
    known = ReadInfo(at->path());
    if (known && known->revision == revision) return known;
  }
  return std::nullopt;
}

void MetadataCache::StoreInfo(const std::string& endpoint, const std::string& repo_id,
                              const std::string& revision, const RepositoryInfo& info) const {
  if (folder_.empty()) return;
  const fs::path folder = RepositoryFolder(endpoint, repo_id);
  if (!MakeFolders(folder, 0700).ok()) return;
  WriteChecked(folder / ("ref-" + NameOf(revision)), ToJson(info).dump());
  Touch(folder);
  Prune(folder, kMaxEntries);
  Prune(folder_, kMaxRepositories);
}

fs::path MetadataCache::CommitFolder(const std::string& endpoint, const RepositoryInfo& info,
                                     const std::string& token) const {
  if (folder_.empty() || !info.revision) return {};
  std::string name = *info.revision;
  if (info.gated || info.is_private) name += "-" + NameOf(token).substr(0, 12);
  return RepositoryFolder(endpoint, info.repo_id) / name;
}

std::optional<FileInventory> LoadList(const fs::path& commit_folder) {
  if (commit_folder.empty()) return std::nullopt;
  const auto text = ReadChecked(commit_folder / "list", kMaxListBytes);
  if (!text) return std::nullopt;
  Touch(commit_folder);
  std::vector<FileEntry> files;
  for (size_t begin = 0; begin < text->size();) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    FileEntry file;
    if (!ParseLine(std::string_view(*text).substr(begin, end - begin), file)) return std::nullopt;
    files.push_back(std::move(file));
    begin = end + 1;
  }
  StatusOr<FileInventory> inventory = MakeInventory(std::move(files));
  if (!inventory.ok()) return std::nullopt;
  return *std::move(inventory);
}

void StoreList(const fs::path& commit_folder, const FileInventory& inventory) {
  if (commit_folder.empty() || !MakeFolders(commit_folder, 0700).ok()) return;
  std::string text;
  for (const FileEntry& file : inventory.files) {
    text += fmt::format("{} {} {} {}\n", file.size, file.sha256.empty() ? "-" : file.sha256,
                        file.git_oid.empty() ? "-" : file.git_oid, file.path);
  }
  WriteChecked(commit_folder / "list", text);
}

}  // namespace llmd::hub
