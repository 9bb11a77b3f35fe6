// ModelProfile: what a repository is and needs. Mirrors proto/llmd/v1/profile.proto field by field;
// profile_json.cc reads and writes its JSON form (model_info.json keeps it).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace llmd {

struct ModelProfile {
  struct Component {
    std::string name;
    std::string class_name;
  };
  struct Requirements {
    std::vector<std::string> packages;
    std::vector<std::string> special;
    bool remote_code = false;
  };
  struct Backend {
    std::string name;
    bool usable = false;
    std::string reason;
  };
  struct Memory {
    int64_t weights_bytes = 0;
    int64_t kv_bytes_per_token = 0;
    int64_t required_bytes = 0;  // 0: not known, as nobody serves it so
    std::string fits = "no";     // yes | tight | no
  };
  struct SkippedFile {
    std::string path;
    std::string why;
  };
  struct Download {
    int64_t bytes = 0;
    int64_t files = 0;
    std::vector<SkippedFile> skipped;
  };
  struct Trainable {
    bool lora = false;
    std::string reason;
  };
  struct Variant {
    std::string name;
    std::vector<std::string> files;
    int64_t bytes = 0;
  };
  struct Evidence {
    std::string detector;
    bool matched = false;
    std::string because;
  };

  int schema = 1;
  std::string repo_id;
  std::optional<std::string> revision;
  std::string source;  // hub | cache | folder
  std::string detector = "none";
  std::string handler = "general";
  std::string kind = "unsupported";
  std::optional<std::string> architecture;
  std::optional<std::string> model_type;
  std::optional<std::string> loader;
  std::vector<Component> components;
  std::optional<int64_t> parameters;
  std::optional<std::string> dtype;
  std::string quantization = "none";
  std::optional<int64_t> context_length;
  std::vector<std::string> capabilities;
  Requirements requirements;
  std::vector<Backend> backends;
  Memory memory;
  Download download;
  Trainable trainable;
  std::optional<std::string> base_model;
  std::vector<Variant> variants;
  std::optional<std::string> license;
  bool gated = false;
  bool supported = false;
  std::vector<std::string> reasons;
  std::vector<Evidence> evidence;
  // The weight files that the default variant loads, chosen by the detective for the planner. Not
  // on the wire.
  std::vector<std::string> weight_files;
  // What the planner adds for people: what estimates rest on, what the family knows. Not on the
  // wire.
  std::vector<std::string> notes;

  bool HasCapability(std::string_view name) const;
};

// Every field always present, unknown scalars null, lists [].
nlohmann::json ProfileToJson(const ModelProfile& profile);
// Strict about types, lenient about missing fields (an older llmd wrote fewer).
StatusOr<ModelProfile> ProfileFromJson(const nlohmann::json& json);

}  // namespace llmd
