#include "domain/spec_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>

#include "base/file.h"

namespace llmd {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxItems = 500;
constexpr size_t kMaxText = 1024;

Status SpecError(const std::string& source, const YamlNode& node, std::string_view message) {
  return YamlError(source, node, message, "invalid_rule");
}

StatusOr<std::string> TextOf(const std::string& source, const YamlNode& node) {
  if (!node.IsScalar()) return SpecError(source, node, "a text was expected");
  if (node.scalar.size() > kMaxText) return SpecError(source, node, "longer than 1,024 characters");
  return node.scalar;
}

StatusOr<std::vector<std::string>> TextsOf(const std::string& source, const YamlNode& node) {
  std::vector<std::string> texts;
  if (node.IsScalar()) {
    LLMD_ASSIGN_OR_RETURN(std::string text, TextOf(source, node));
    texts.push_back(std::move(text));
    return texts;
  }
  if (!node.IsSequence()) return SpecError(source, node, "a text or a list of texts was expected");
  if (node.items.size() > kMaxItems) return SpecError(source, node, "more than 500 items");
  for (const YamlNode& item : node.items) {
    LLMD_ASSIGN_OR_RETURN(std::string text, TextOf(source, item));
    texts.push_back(std::move(text));
  }
  return texts;
}

StatusOr<SpecCondition> ConditionOf(const std::string& source, const YamlNode& node) {
  SpecReader reader(
      source, node,
      {"detectors", "kinds", "architectures", "model_types", "loaders", "quantizations",
       "capabilities", "components", "repos", "files", "no_files", "gguf_keys", "no_gguf_keys",
       "remote_code", "engines", "os", "gpu", "compute_capability"});
  if (node.IsMap() && node.entries.empty()) reader.Fail(node, "an empty condition");
  SpecCondition condition;
  reader.Read("detectors", condition.detectors);
  reader.Read("kinds", condition.kinds);
  reader.Read("architectures", condition.architectures);
  reader.Read("model_types", condition.model_types);
  reader.Read("loaders", condition.loaders);
  reader.Read("quantizations", condition.quantizations);
  reader.Read("capabilities", condition.capabilities);
  reader.Read("components", condition.components);
  reader.Read("repos", condition.repos);
  reader.Read("files", condition.files);
  reader.Read("no_files", condition.no_files);
  reader.Read("gguf_keys", condition.gguf_keys);
  reader.Read("no_gguf_keys", condition.no_gguf_keys);
  reader.Read("remote_code", condition.remote_code);
  reader.Read("engines", condition.engines);
  reader.Read("os", condition.os);
  reader.Read("gpu", condition.gpu);
  reader.Read("compute_capability", condition.compute_capability);
  reader.CheckOneOf("os", {"linux", "macos"});
  reader.CheckOneOf("gpu", {"cuda", "metal", "none"});
  if (!reader.status().ok()) return reader.status();
  return condition;
}

StatusOr<PackageSpec> PackageOf(const std::string& source, const YamlNode& node) {
  PackageSpec package;
  if (node.IsScalar()) {
    LLMD_ASSIGN_OR_RETURN(package.requirement, TextOf(source, node));
  } else {
    SpecReader reader(source, node, {"requirement", "when"});
    if (reader.Require("requirement")) reader.Read("requirement", package.requirement);
    reader.Read("when", package.when);
    if (!reader.status().ok()) return reader.status();
  }
  if (IsRequirement(package.requirement)) return package;
  return YamlError(source, node,
                   fmt::format("'{}' is not a package with versions", package.requirement),
                   "invalid_rule");
}

std::vector<fs::path> YamlFiles(const fs::path& dir, std::error_code& error) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    const std::string name = entry.path().filename().string();
    const bool yaml = name.ends_with(".yaml") || name.ends_with(".yml");
    if (yaml && !name.starts_with('.')) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Status Unsafe(const fs::path& path, std::string_view why) {
  return MakeStatus(StatusCode::kPermissionDenied, fmt::format("{}:1:1: {}", path.string(), why),
                    {.code = "unsafe_rule", .next_step = ""});
}

// A rule names packages that get installed: only its owner may be able to change it.
Status CheckOwnership(const fs::path& path, mode_t type, std::string_view type_name) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return ErrnoStatus(errno, path.string());
  if ((info.st_mode & S_IFMT) != type) {
    return Unsafe(path, fmt::format("not a {}, so it is not read", type_name));
  }
  const bool ours = info.st_uid == ::geteuid() || info.st_uid == 0;
  if (ours && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return OkStatus();
  return Unsafe(path, "others can write to it, so it is not read; chmod go-w it");
}

}  // namespace

bool IsRequirement(std::string_view text) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view(" ._-[],<>=!~;()'\"+*").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
         std::all_of(text.begin(), text.end(), is_plain) &&
         text.find(" -") == std::string_view::npos;
}

SpecReader::SpecReader(const std::string& source, const YamlNode& node,
                       std::initializer_list<std::string_view> keys)
    : source_(source), node_(node) {
  if (!node.IsMap()) {
    Fail(node, "a map was expected");
    return;
  }
  for (const auto& [key, value] : node.entries) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      Fail(value, fmt::format("unknown key '{}'", key));
    }
  }
}

void SpecReader::Fail(const YamlNode& node, std::string_view message) {
  Merge(SpecError(source_, node, message));
}

void SpecReader::Merge(const Status& status) {
  if (status_.ok()) status_ = status;
}

const YamlNode* SpecReader::Scalar(std::string_view key) {
  const YamlNode* value = status_.ok() ? Find(key) : nullptr;
  if (value != nullptr && !value->IsScalar()) {
    Fail(*value, fmt::format("'{}' takes a single value", key));
    return nullptr;
  }
  return value;
}

void SpecReader::Read(std::string_view key, std::string& value) {
  const YamlNode* node = Scalar(key);
  if (node == nullptr) return;
  StatusOr<std::string> text = TextOf(source_, *node);
  if (text.ok()) value = *std::move(text);
  Merge(text.status());
}

void SpecReader::Read(std::string_view key, bool& value) {
  const YamlNode* node = Scalar(key);
  if (node == nullptr) return;
  const std::optional<bool> flag = node->AsBool();
  if (!flag) return Fail(*node, fmt::format("'{}' takes true or false", key));
  value = *flag;
}

void SpecReader::Read(std::string_view key, std::optional<bool>& value) {
  if (Find(key) == nullptr) return;
  bool flag = false;
  Read(key, flag);
  value = flag;
}

void SpecReader::Read(std::string_view key, int64_t& value) {
  const YamlNode* node = Scalar(key);
  if (node == nullptr) return;
  const std::optional<int64_t> number = node->AsInt();
  if (!number || *number < 0) return Fail(*node, fmt::format("'{}' takes a whole number", key));
  value = *number;
}

void SpecReader::Read(std::string_view key, int& value) {
  int64_t number = value;
  Read(key, number);
  if (number > std::numeric_limits<int>::max()) return Fail(*Find(key), "too large");
  value = static_cast<int>(number);
}

void SpecReader::Read(std::string_view key, double& value) {
  const YamlNode* node = Scalar(key);
  if (node == nullptr) return;
  const std::optional<double> number = node->AsDouble();
  if (!number || !(*number >= 0)) return Fail(*node, fmt::format("'{}' takes a number", key));
  value = *number;
}

void SpecReader::Read(std::string_view key, std::vector<std::string>& value) {
  const YamlNode* node = status_.ok() ? Find(key) : nullptr;
  if (node == nullptr) return;
  StatusOr<std::vector<std::string>> texts = TextsOf(source_, *node);
  if (texts.ok()) value = *std::move(texts);
  Merge(texts.status());
}

void SpecReader::Read(std::string_view key, std::map<std::string, std::string>& value) {
  const YamlNode* node = status_.ok() ? Find(key) : nullptr;
  if (node == nullptr) return;
  if (!node->IsMap()) return Fail(*node, fmt::format("'{}' takes a map of texts", key));
  for (const auto& [name, item] : node->entries) {
    StatusOr<std::string> text = TextOf(source_, item);
    Merge(text.status());
    if (text.ok()) value[name] = *std::move(text);
  }
}

void SpecReader::Read(std::string_view key, SpecConditions& value) {
  const YamlNode* node = status_.ok() ? Find(key) : nullptr;
  if (node == nullptr) return;
  const auto add = [&](const YamlNode& item) {
    StatusOr<SpecCondition> condition = ConditionOf(source_, item);
    if (condition.ok()) value.push_back(*std::move(condition));
    return condition.status();
  };
  if (node->IsSequence()) {
    ForEach(key, add);
  } else {
    Merge(add(*node));
  }
}

void SpecReader::Read(std::string_view key, std::vector<PackageSpec>& value) {
  ForEach(key, [&](const YamlNode& item) {
    StatusOr<PackageSpec> package = PackageOf(source_, item);
    if (package.ok()) value.push_back(*std::move(package));
    return package.status();
  });
}

bool SpecReader::Require(std::string_view key) {
  if (!status_.ok()) return false;
  if (Find(key) != nullptr) return true;
  Fail(node_, fmt::format("'{}' is missing", key));
  return false;
}

void SpecReader::ForEach(std::string_view key,
                         const std::function<Status(const YamlNode& item)>& read) {
  const YamlNode* node = status_.ok() ? Find(key) : nullptr;
  if (node == nullptr) return;
  if (!node->IsSequence()) return Fail(*node, fmt::format("'{}' takes a list", key));
  if (node->items.size() > kMaxItems) return Fail(*node, "more than 500 items");
  for (const YamlNode& item : node->items) {
    if (status_.ok()) Merge(read(item));
  }
}

void SpecReader::CheckOneOf(std::string_view key, std::initializer_list<std::string_view> allowed) {
  const YamlNode* node = status_.ok() ? Find(key) : nullptr;
  if (node == nullptr) return;
  const auto check = [&](const YamlNode& item) {
    if (std::find(allowed.begin(), allowed.end(), item.scalar) == allowed.end()) {
      Fail(item, fmt::format("unknown value '{}' of '{}'", item.scalar, key));
    }
  };
  if (node->IsScalar()) check(*node);
  for (const YamlNode& item : node->items) check(item);
}

StatusOr<std::string> ReadSpecId(SpecReader& reader) {
  int schema = 0;
  reader.Read("schema", schema);
  if (reader.Require("schema") && schema != 1) {
    reader.Fail(*reader.Find("schema"), "this llmd reads schema 1");
  }
  std::string id;
  if (reader.Require("id")) reader.Read("id", id);
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-.";
  if (reader.status().ok() &&
      (id.empty() || id.size() > 64 || id.find_first_not_of(kAllowed) != std::string::npos)) {
    reader.Fail(*reader.Find("id"), "an id is made of a-z, 0-9, '-' and '.'");
  }
  if (!reader.status().ok()) return reader.status();
  return id;
}

StatusOr<std::vector<SpecFile>> ReadSpecFiles(const fs::path& dir) {
  std::error_code error;
  const std::vector<fs::path> paths = YamlFiles(dir, error);
  if (error) return ErrnoStatus(error.value(), dir.string());
  std::vector<SpecFile> files;
  for (const fs::path& path : paths) {
    LLMD_ASSIGN_OR_RETURN(YamlNode root, ReadYamlFile(path));
    files.push_back({.name = path.string(), .root = std::move(root)});
  }
  return files;
}

SpecKind KindOfSpec(std::string_view text) {
  const auto has = [text](std::string_view key) {
    for (size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
      if (at == 0 || text[at - 1] == '\n') return true;
    }
    return false;
  };
  if (has("serves:")) return SpecKind::kEngine;
  return has("when:") ? SpecKind::kRule : SpecKind::kHandler;
}

std::vector<UserSpec> ReadUserSpecs(const fs::path& dir, SpecKind kind,
                                    std::vector<std::string>& errors) {
  std::vector<UserSpec> specs;
  std::error_code error;
  if (!fs::exists(fs::symlink_status(dir, error))) return specs;
  const std::vector<fs::path> paths = YamlFiles(dir, error);
  const auto read = [&](const fs::path& path) -> Status {
    if (path.extension() == ".yml") return Unsafe(path, "not read: its name must end in .yaml");
    LLMD_RETURN_IF_ERROR(CheckOwnership(path, S_IFREG, "regular file"));
    StatusOr<std::string> text = ReadFile(path, YamlLimits{}.max_bytes);
    if (!text.ok()) return InvalidArgument("{}:1:1: {}", path.string(), Message(text.status()));
    if (KindOfSpec(*text) == kind) specs.push_back({.path = path, .text = *std::move(text)});
    return OkStatus();
  };
  const auto note = [&](const Status& status) {
    if (!status.ok()) errors.push_back(Message(status));
    return status.ok();
  };
  if (error) note(ErrnoStatus(error.value(), dir.string()));
  if (error || !note(CheckOwnership(fs::canonical(dir, error), S_IFDIR, "folder"))) return specs;
  for (const fs::path& path : paths) note(read(path));
  return specs;
}

std::vector<SpecFile> ReadUserSpecFiles(const fs::path& dir, SpecKind kind,
                                        std::vector<std::string>& errors) {
  std::vector<SpecFile> files;
  for (const UserSpec& spec : ReadUserSpecs(dir, kind, errors)) {
    StatusOr<YamlNode> root = ParseYaml(spec.text, spec.path.string());
    if (root.ok()) {
      files.push_back({.name = spec.path.string(), .root = *std::move(root)});
    } else {
      errors.push_back(Message(root.status()));
    }
  }
  return files;
}

}  // namespace llmd
