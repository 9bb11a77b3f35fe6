// Facts: what the probes read out of a repository without fetching a weight. Plain data; the
// detective is a pure function over it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "domain/file_inventory.h"

namespace llmd {

// A small text or JSON file that was asked for, and what came of it.
struct Document {
  // Null when the file is not there or is not JSON; `error` says which.
  std::shared_ptr<const nlohmann::json> json;
  std::string text;   // raw content; only for files asked for as text
  std::string error;  // empty when fine; else a sentence such as "config.json:1:7: ..."
};

// The header of a .safetensors file (or the sum over the shards of one index).
struct SafetensorsFacts {
  std::vector<std::string> files;
  std::map<std::string, int64_t> parameters_by_dtype;  // "BF16" -> element count
  int64_t parameters = 0;                              // sum over dtypes
  int64_t weight_bytes = 0;
  std::vector<std::string> tensor_names;  // at most 4,096, sorted
  std::string error;
};

// The header of a .gguf file.
struct GgufFacts {
  std::string file;
  uint32_t version = 0;
  int64_t tensor_count = 0;
  std::map<std::string, std::string> strings;  // key -> value, short strings only
  std::map<std::string, int64_t> integers;     // key -> value, integers and booleans
  std::map<std::string, double> floats;
  std::map<std::string, int64_t> array_sizes;      // key -> element count
  std::map<std::string, int64_t> tensors_by_type;  // ggml type name -> element count
  int64_t parameters = 0;
  int64_t tensor_bytes = 0;
  bool has_chat_template = false;
  std::string error;
};

// What the Hub says about the repository.
struct RepositoryInfo {
  std::string repo_id;
  std::string source;                   // hub | cache | folder
  std::optional<std::string> revision;  // 40-hex commit
  bool gated = false;
  bool is_private = false;
  std::vector<std::string> tags;
  std::optional<std::string> pipeline_tag;
  std::optional<std::string> library_name;
  std::optional<std::string> license;
  std::optional<std::string> base_model;
};

struct Facts {
  RepositoryInfo info;
  FileInventory inventory;
  std::map<std::string, Document> documents;  // by path
  std::optional<SafetensorsFacts> safetensors;
  std::vector<GgufFacts> ggufs;
};

}  // namespace llmd
