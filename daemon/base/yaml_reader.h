// YAML read into a plain tree with positions, within bounds. yaml-cpp stays inside the .cc file.
// Anchors, aliases, tags and duplicate keys are refused: our files need none, and they are how
// small documents become large. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace llmd {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  std::string scalar;
  bool quoted = false;  // a quoted scalar is always a string
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // in file order
  int line = 0;                    // from 1
  int column = 0;                  // from 1
  int key_line = 0;                // of its key, when it is a map's value
  int key_column = 0;

  bool IsMap() const { return kind == Kind::kMap; }
  bool IsSequence() const { return kind == Kind::kSequence; }
  bool IsScalar() const { return kind == Kind::kScalar; }
  bool IsNull() const { return kind == Kind::kNull; }
  // The entry of a map; nullptr when there is none.
  const YamlNode* Find(std::string_view key) const;
  // Typed reads of an unquoted scalar; nullopt when it is something else.
  std::optional<bool> AsBool() const;
  std::optional<int64_t> AsInt() const;
  std::optional<double> AsDouble() const;
};

struct YamlEntry {
  std::string first;  // the key
  YamlNode second;
};

struct YamlLimits {
  size_t max_bytes = 1u << 20;
  size_t max_depth = 32;
  size_t max_nodes = 100'000;
};

// Parses one document. Errors read "<source>:<line>:<column>: what" (kInvalidArgument, code
// "invalid_yaml").
StatusOr<YamlNode> ParseYaml(std::string_view text, std::string_view source,
                             const YamlLimits& limits = {});
StatusOr<YamlNode> ReadYamlFile(const std::filesystem::path& path, const YamlLimits& limits = {});

// "<source>:<line>:<column>: message" as kInvalidArgument with `code`.
Status YamlError(std::string_view source, const YamlNode& node, std::string_view message,
                 std::string_view code = "invalid_yaml");
// The same, at the key of a map's value.
Status YamlKeyError(std::string_view source, const YamlNode& value, std::string_view message,
                    std::string_view code = "invalid_yaml");

}  // namespace llmd
