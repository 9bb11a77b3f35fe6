#include "hub/repository_info.h"

#include <nlohmann/json.hpp>

#include "domain/names.h"
#include "hub/hub_error.h"

namespace llmd::hub {
namespace {

using nlohmann::json;

// Longer words than these describe nothing.
constexpr size_t kMaxWord = 256;

std::string Text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// A string, or the first of a list of strings.
std::optional<std::string> TextOrFirst(const json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end()) return std::nullopt;
  const json& value = at->is_array() && !at->empty() ? at->front() : *at;
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty() || text.size() > kMaxWord) return std::nullopt;
  return text;
}

bool IsTrue(const json& object, const char* key) {
  const auto at = object.find(key);
  // `gated` is false or the name of a mode.
  return at != object.end() && ((at->is_boolean() && at->get<bool>()) || at->is_string());
}

// "license:mit" among the tags.
std::optional<std::string> FromTags(const std::vector<std::string>& tags, std::string_view prefix) {
  for (const std::string& tag : tags) {
    if (tag.starts_with(prefix)) return tag.substr(prefix.size());
  }
  return std::nullopt;
}

StatusOr<FileEntry> ParseTreeEntry(const json& item) {
  const auto size = item.find("size");
  if (size == item.end() || !size->is_number_integer() || size->get<int64_t>() < 0) {
    return HubError("the list of files has an entry without a size");
  }
  FileEntry file{.path = Text(item, "path"), .size = size->get<int64_t>()};
  LLMD_RETURN_IF_ERROR(ValidateRepoPath(file.path));
  const auto lfs = item.find("lfs");
  if (lfs != item.end() && lfs->is_object()) {  // `oid` beside it is that of the pointer file
    if (const std::string sha256 = Text(*lfs, "oid"); IsHex(sha256, 64)) file.sha256 = sha256;
    const auto real = lfs->find("size");
    if (real != lfs->end() && real->is_number_integer() && real->get<int64_t>() >= 0) {
      file.size = real->get<int64_t>();
    }
  } else if (const std::string oid = Text(item, "oid"); IsHex(oid, 40)) {
    file.git_oid = oid;
  }
  return file;
}

}  // namespace

bool IsHex(std::string_view text, size_t length) {
  return text.size() == length &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

StatusOr<RepositoryInfo> ParseModelInfo(const json& object, std::string_view asked_id) {
  if (!object.is_object()) return HubError("the model's description is not a JSON object");
  RepositoryInfo info{.repo_id = std::string(asked_id), .source = "hub"};
  // A renamed repository is known by its new name from now on.
  if (const std::string id = Text(object, "id"); ValidateRepoId(id).ok()) info.repo_id = id;
  info.revision = Text(object, "sha");
  if (!IsHex(*info.revision, 40)) return HubError("the model's description names no commit");
  if (IsTrue(object, "disabled")) return RepositoryDisabled(info.repo_id);
  info.gated = IsTrue(object, "gated");
  info.is_private = IsTrue(object, "private");
  constexpr size_t kMaxTags = 1000;
  if (const auto tags = object.find("tags"); tags != object.end() && tags->is_array()) {
    for (const json& tag : *tags) {
      if (!tag.is_string() || tag.get_ref<const std::string&>().size() > kMaxWord) continue;
      if (info.tags.size() < kMaxTags) info.tags.push_back(tag);
    }
  }
  info.pipeline_tag = TextOrFirst(object, "pipeline_tag");
  info.library_name = TextOrFirst(object, "library_name");
  if (const auto card = object.find("cardData"); card != object.end() && card->is_object()) {
    info.license = TextOrFirst(*card, "license");
    info.base_model = TextOrFirst(*card, "base_model");
  }
  if (!info.license) info.license = FromTags(info.tags, "license:");
  if (!info.base_model) info.base_model = FromTags(info.tags, "base_model:");
  return info;
}

Status AppendTreePage(const json& page, std::vector<FileEntry>& files) {
  if (!page.is_array()) return HubError("the list of files is not a JSON array");
  for (const json& item : page) {
    if (!item.is_object()) return HubError("the list of files has an entry that is no object");
    if (Text(item, "type") != "file") continue;
    LLMD_ASSIGN_OR_RETURN(FileEntry file, ParseTreeEntry(item));
    files.push_back(std::move(file));
    if (files.size() > kMaxInventoryEntries) return TooManyFiles("the repository");
  }
  return OkStatus();
}

StatusOr<FileInventory> MakeInventory(std::vector<FileEntry> files) {
  std::sort(files.begin(), files.end(),
            [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; });
  FileInventory inventory{.files = std::move(files)};
  for (size_t i = 0; i < inventory.files.size(); ++i) {
    const std::string& path = inventory.files[i].path;
    const bool twice = i > 0 && inventory.files[i - 1].path == path;
    bool below_file = false;
    for (size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      below_file = below_file || inventory.Find(std::string_view(path).substr(0, slash)) != nullptr;
    }
    if (twice || below_file) {
      return MakeStatus(StatusCode::kInvalidArgument,
                        fmt::format("'{}' is listed {}", SanitizeForTerminal(path),
                                    twice ? "twice" : "below another file"),
                        {.code = "unsafe_path", .next_step = "Do not install this repository."});
    }
  }
  return inventory;
}

}  // namespace llmd::hub
