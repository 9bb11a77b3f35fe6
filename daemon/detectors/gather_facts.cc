#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "detectors/detective.h"
#include "detectors/model_config.h"
#include "detectors/probe_architecture.h"
#include "detectors/probe_gguf.h"
#include "detectors/probe_json.h"
#include "detectors/probe_safetensors.h"
#include "detectors/tables.h"
#include "detectors/wanted_files.h"
#include "domain/json_path.h"
#include "domain/names.h"
#include "domain/weight_sets.h"
#include "hub/partial_file.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

constexpr size_t kMaxTextBytes = 512 << 10;

// Being cut off or told to stop is nobody's property; anything else a file can be blamed for.
bool IsOurTrouble(const Status& status) {
  return status.code() == StatusCode::kCancelled || status.code() == StatusCode::kUnavailable ||
         status.code() == StatusCode::kDeadlineExceeded;
}

// The source answers, but not with this file.
bool IsAnAnswer(const Status& status) { return GetErrorInfo(status).code == "hub_error"; }

// What a tiny file holds in place of weights; empty when it may hold some. Headers tell the rest.
std::string WhatInstead(const std::string& path, int64_t size, const StatusOr<std::string>& read) {
  if (size == 0) return fmt::format("{} is empty: there are no weights in it", path);
  const bool pointer =
      read.ok() ? hub::IsLfsPointer(*read) : GetErrorInfo(read.status()).code == "lfs_pointer";
  if (pointer) {
    return fmt::format("{} has only {} bytes: a Git LFS pointer, not the weights", path, size);
  }
  if (!read.ok() || read->empty() || WeightFormatOf(path) != "pytorch") return {};
  const bool known = read->starts_with("PK\x03\x04") || read->starts_with('\x80');
  return known ? "" : fmt::format("{} is broken: its {} bytes are no file of PyTorch", path, size);
}

// Without these nothing can be said.
bool IsEssential(std::string_view path) {
  return path == "config.json" || path == "model_index.json" || path == "modules.json" ||
         path == "adapter_config.json";
}

bool IsAccess(const Status& status) {
  return status.code() == StatusCode::kPermissionDenied ||
         status.code() == StatusCode::kUnauthenticated;
}

class Gatherer {
 public:
  Gatherer(hub::Repository& repository, const CancelToken& cancel, const GatherOptions& options)
      : repository_(repository), cancel_(cancel), options_(options) {}

  StatusOr<Facts> Gather() {
    facts_.info = repository_.info();
    StatusOr<FileInventory> inventory = repository_.List(cancel_);
    if (!inventory.ok()) return Refused(inventory.status());
    facts_.inventory = *std::move(inventory);
    facts_.weights = FindWeightSets(facts_.inventory);
    wanted_ = ChooseFiles(facts_, options_.documents);
    LLMD_RETURN_IF_ERROR(repository_.Prefetch(Batch(), cancel_));
    LLMD_RETURN_IF_ERROR(ReadDocuments());
    LLMD_RETURN_IF_ERROR(ReadTinyWeights());
    LLMD_RETURN_IF_ERROR(ReadRootHeaders());
    LLMD_RETURN_IF_ERROR(ReadPartHeaders());
    LLMD_RETURN_IF_ERROR(ReadGgufs());
    ReadComponents();
    FindArchitecture();
    return std::move(facts_);
  }

 private:
  // A list that must not be used is an answer, too.
  StatusOr<Facts> Refused(const Status& status) {
    const std::string code = GetErrorInfo(status).code;
    if (code != "unsafe_path" && code != "too_many_files") return status;
    facts_.refusal = fmt::format("the list of files is refused ({}): {}",
                                 code == "unsafe_path" ? "unsafe path" : "too many files",
                                 SanitizeForTerminal(Message(status)));
    return std::move(facts_);
  }

  int64_t SizeOf(const std::string& path) const {
    const FileEntry* file = facts_.inventory.Find(path);
    return file == nullptr ? 0 : file->size;
  }

  std::vector<hub::ReadRequest> Batch() const {
    std::vector<hub::ReadRequest> batch;
    for (const auto* list : {&wanted_.json, &wanted_.text}) {
      for (const std::string& path : *list) {
        const auto limit =
            static_cast<int64_t>(list == &wanted_.json ? kMaxJsonBytes : kMaxTextBytes);
        if (SizeOf(path) <= limit) batch.push_back({.path = path, .length = limit, .whole = true});
      }
    }
    const auto add_range = [&](const std::string& path, int64_t length) {
      batch.push_back({.path = path, .length = std::min(length, SizeOf(path))});
    };
    for (const auto* list : {&wanted_.root_headers, &wanted_.part_headers}) {
      for (const std::string& path : *list) add_range(path, kFirstSafetensorsBytes);
    }
    for (const auto* list : {&wanted_.ggufs, &wanted_.projectors}) {
      if (!list->empty()) add_range(list->front(), kFirstGgufBytes);
    }
    for (const std::string& path : wanted_.tiny_weights) add_range(path, kTinyWeights);
    return batch;
  }

  // The content, or an empty text with `error` set.
  StatusOr<std::string> ReadSmall(const std::string& path, size_t limit, std::string& error) {
    StatusOr<std::string> content = repository_.ReadSmall(path, limit, cancel_);
    if (content.ok()) return content;
    const bool spared = IsAnAnswer(content.status()) && !IsEssential(path);
    if (IsOurTrouble(content.status()) && !spared) return content.status();
    if (IsAccess(content.status()) && facts_.access_error.empty()) {
      facts_.access_error = Message(content.status());
    }
    error = SanitizeForTerminal(Message(content.status()));
    if (error.find(path) == std::string::npos) error = path + ": " + error;
    return std::string();
  }

  Status ReadDocuments() {
    for (const std::string& path : wanted_.json) {
      Document document;
      LLMD_ASSIGN_OR_RETURN(std::string content, ReadSmall(path, kMaxJsonBytes, document.error));
      if (document.error.empty()) document = ReadJsonDocument(path, std::move(content));
      facts_.documents.emplace(path, std::move(document));
    }
    for (const std::string& path : wanted_.text) {
      Document document;
      LLMD_ASSIGN_OR_RETURN(document.text, ReadSmall(path, kMaxTextBytes, document.error));
      facts_.documents.emplace(path, std::move(document));
    }
    return OkStatus();
  }

  Status ReadTinyWeights() {
    for (const std::string& path : wanted_.tiny_weights) {
      const StatusOr<std::string> content = repository_.ReadRange(path, 0, SizeOf(path), cancel_);
      LLMD_RETURN_IF_ERROR(cancel_.Check());
      const std::string instead = WhatInstead(path, SizeOf(path), content);
      if (!instead.empty()) facts_.not_weights.emplace(path, SanitizeForTerminal(instead));
    }
    return OkStatus();
  }

  // Adds one header; what is wrong with the file goes to `facts.error`.
  Status ReadHeader(const std::string& path, SafetensorsFacts& facts) {
    const int64_t size = SizeOf(path);
    StatusOr<std::string> head =
        repository_.ReadRange(path, 0, std::min(kFirstSafetensorsBytes, size), cancel_);
    if (!head.ok()) return Blame(path, head.status(), facts.error);
    const StatusOr<int64_t> length = SafetensorsHeaderLength(*head, size);
    if (!length.ok()) return Blame(path, length.status(), facts.error);
    const auto have = static_cast<int64_t>(head->size());
    if (have < 8 + *length) {
      StatusOr<std::string> rest = repository_.ReadRange(path, have, 8 + *length - have, cancel_);
      if (!rest.ok()) return Blame(path, rest.status(), facts.error);
      *head += *rest;
    }
    if (static_cast<int64_t>(head->size()) < 8 + *length) {
      return Blame(path, DataLoss("ends inside of its header"), facts.error);
    }
    const std::string_view header = std::string_view(*head).substr(8, static_cast<size_t>(*length));
    const Status added = AddSafetensorsHeader(path, header, size, facts);
    return added.ok() ? OkStatus() : Blame(path, added, facts.error);
  }

  Status Blame(const std::string& path, const Status& status, std::string& error) {
    if (IsOurTrouble(status)) return status;
    if (IsAccess(status) && facts_.access_error.empty()) facts_.access_error = Message(status);
    if (error.empty()) {
      error = SanitizeForTerminal(Message(status));
      if (error.find(path) == std::string::npos) error = path + ": " + error;
    }
    return OkStatus();
  }

  // A header that cannot be had just now is only missing: the configuration was had, and says most.
  Status ReadRootHeaders() {
    if (wanted_.root_headers.empty()) return OkStatus();
    SafetensorsFacts facts{.whole = wanted_.root_whole};
    for (const std::string& path : wanted_.root_headers) {
      const Status read = ReadHeader(path, facts);
      if (!read.ok()) return cancel_.Check();
    }
    facts_.safetensors = std::move(facts);
    return OkStatus();
  }

  Status ReadPartHeaders() {
    for (const std::string& path : wanted_.part_headers) {
      SafetensorsFacts facts;
      const Status read = ReadHeader(path, facts);
      if (!read.ok()) return cancel_.Check();
      facts_.part_headers.emplace(path.substr(0, path.rfind('/')), std::move(facts));
    }
    return OkStatus();
  }

  // The first candidate whose header is sound; a broken one stays as a fact.
  Status ReadGgufs() {
    Status trouble;
    for (const auto* list : {&wanted_.ggufs, &wanted_.projectors}) {
      for (const std::string& path : *list) {
        GgufFacts gguf{.file = path};
        const Status read = ReadGguf(gguf);
        LLMD_RETURN_IF_ERROR(cancel_.Check());
        if (!read.ok() && !IsAnAnswer(read)) {
          trouble = read;
          continue;
        }
        if (!read.ok()) gguf.error = SanitizeForTerminal(path + ": " + Message(read));
        const bool sound = gguf.error.empty();
        facts_.ggufs.push_back(std::move(gguf));
        if (sound) break;
      }
    }
    std::stable_partition(facts_.ggufs.begin(), facts_.ggufs.end(),
                          [](const GgufFacts& gguf) { return gguf.error.empty(); });
    return facts_.ggufs.empty() ? trouble : OkStatus();
  }

  Status ReadGguf(GgufFacts& gguf) {
    const int64_t size = SizeOf(gguf.file);
    std::string prefix;
    for (int64_t window = kFirstGgufBytes;; window *= 2) {
      const auto have = static_cast<int64_t>(prefix.size());
      StatusOr<std::string> more =
          repository_.ReadRange(gguf.file, have, std::min(window, size) - have, cancel_);
      if (!more.ok()) return Blame(gguf.file, more.status(), gguf.error);
      const bool ended = more->empty() || window >= size;
      prefix += *more;
      const GgufRead read = ReadGgufHeader(prefix, size, gguf);
      if (read != GgufRead::kNeedMore) return OkStatus();
      if (ended) {
        gguf.error = gguf.file + ": ends inside of its header";
        return OkStatus();
      }
      if (window >= kMaxGgufBytes) {
        gguf.whole = false;
        return OkStatus();
      }
    }
  }

  void ReadComponents() {
    const auto index = facts_.documents.find("model_index.json");
    if (index == facts_.documents.end() || index->second.json == nullptr) return;
    if (!index->second.json->is_object()) return;
    constexpr size_t kMost = 64;
    for (const auto& [name, value] : index->second.json->items()) {
      if (name.starts_with('_') || !value.is_array() || value.size() != 2) continue;
      if (!value[0].is_string() || !value[1].is_string() || facts_.components.size() >= kMost) {
        continue;  // [null, null]: left out on purpose
      }
      const std::string prefix = name + "/";
      const bool folder =
          std::any_of(facts_.inventory.files.begin(), facts_.inventory.files.end(),
                      [&](const FileEntry& file) { return file.path.starts_with(prefix); });
      facts_.components.push_back({.name = SanitizeForTerminal(name),
                                   .library = SanitizeForTerminal(value[0].get<std::string>()),
                                   .class_name = SanitizeForTerminal(value[1].get<std::string>()),
                                   .has_folder = folder});
    }
  }

  void FindArchitecture() {
    static const Tables kNoTables;
    const Tables& tables = options_.tables == nullptr ? kNoTables : *options_.tables;
    // Headers are read where the GGUF is what will be served; what they say goes before a
    // config.json beside them.
    if (!facts_.ggufs.empty()) facts_.architecture = ArchitectureOf(facts_.ggufs.front());
    if (!facts_.architecture) {
      facts_.architecture = ArchitectureOf(FindModelConfig(facts_), tables);
    }
  }

  hub::Repository& repository_;
  const CancelToken& cancel_;
  const GatherOptions& options_;
  WantedFiles wanted_;
  Facts facts_;
};

}  // namespace

StatusOr<Facts> GatherFacts(hub::Repository& repository, const CancelToken& cancel,
                            const GatherOptions& options) {
  return Gatherer(repository, cancel, options).Gather();
}

}  // namespace llmd::detectors
