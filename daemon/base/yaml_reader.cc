#include "base/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <set>
#include <sstream>

#include "base/file.h"

namespace llmd {
namespace {

Status ErrorAt(std::string_view source, int line, int column, std::string_view message,
               std::string_view code) {
  return MakeStatus(StatusCode::kInvalidArgument,
                    fmt::format("{}:{}:{}: {}", source, line, column, message),
                    {.code = std::string(code), .next_step = ""});
}

// Thrown out of yaml-cpp's event loop and caught in ParseYaml.
struct Refusal {
  int line;
  int column;
  std::string message;
};

// Builds our tree from parser events. yaml-cpp's own node tree is not used: its nodes are shared
// through aliases, which we refuse as soon as one is seen.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const YamlLimits& limits) : limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (std::exchange(begun_, true)) Refuse(mark, "more than one document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(mark, "", anchor, {.kind = YamlNode::Kind::kNull});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal{mark.line + 1, mark.column + 1, "aliases are not allowed"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool quoted = tag == "!";
    const bool null = !quoted && (value.empty() || value == "~" || value == "null");
    Add(mark, quoted ? "" : tag, anchor,
        {.kind = null ? YamlNode::Kind::kNull : YamlNode::Kind::kScalar,
         .scalar = value,
         .quoted = quoted});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kSequence);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

  YamlNode TakeRoot() { return std::move(root_); }

 private:
  struct Level {
    YamlNode node;
    std::optional<std::string> key;  // a map's key that waits for its value
    std::set<std::string> keys;      // all of a map's keys
    int key_line = 0;
    int key_column = 0;
  };

  void Check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) Refuse(mark, "anchors are not allowed");
    if (!tag.empty() && tag != "?") Refuse(mark, "tags are not allowed");
    if (++nodes_ > limits_.max_nodes) Refuse(mark, "too many values");
    if (levels_.size() > limits_.max_depth) Refuse(mark, "nested too deeply");
  }
  [[noreturn]] static void Refuse(const YAML::Mark& mark, std::string message) {
    throw Refusal{mark.line + 1, mark.column + 1, std::move(message)};
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    Check(mark, tag == "!" ? "" : tag, anchor);
    if (!levels_.empty() && levels_.back().node.IsMap() && !levels_.back().key) {
      Refuse(mark, "a key must be a plain string");
    }
    levels_.push_back({.node = {.kind = kind, .line = mark.line + 1, .column = mark.column + 1}});
  }
  void Close() {
    YamlNode node = std::move(levels_.back().node);
    levels_.pop_back();
    Place(std::move(node));
  }
  void Add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode node) {
    Check(mark, tag, anchor);
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    if (!levels_.empty() && levels_.back().node.IsMap() && !levels_.back().key) {
      if (!levels_.back().keys.insert(node.scalar).second) {
        Refuse(mark, fmt::format("the key '{}' appears twice", node.scalar));
      }
      levels_.back().key = node.scalar;
      levels_.back().key_line = node.line;
      levels_.back().key_column = node.column;
      return;
    }
    Place(std::move(node));
  }
  void Place(YamlNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
    } else if (Level& level = levels_.back(); level.node.IsMap()) {
      node.key_line = level.key_line;
      node.key_column = level.key_column;
      level.node.entries.push_back({std::move(*level.key), std::move(node)});
      level.key.reset();
    } else {
      level.node.items.push_back(std::move(node));
    }
  }

  const YamlLimits& limits_;
  bool begun_ = false;
  size_t nodes_ = 0;
  std::vector<Level> levels_;
  YamlNode root_;
};

template <typename T>
std::optional<T> ParseNumber(const YamlNode& node) {
  if (!node.IsScalar() || node.quoted) return std::nullopt;
  T value{};
  const char* end = node.scalar.data() + node.scalar.size();
  const auto result = std::from_chars(node.scalar.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<bool> YamlNode::AsBool() const {
  if (!IsScalar() || quoted) return std::nullopt;
  if (scalar == "true") return true;
  if (scalar == "false") return false;
  return std::nullopt;
}

std::optional<int64_t> YamlNode::AsInt() const { return ParseNumber<int64_t>(*this); }

std::optional<double> YamlNode::AsDouble() const { return ParseNumber<double>(*this); }

StatusOr<YamlNode> ParseYaml(std::string_view text, std::string_view source,
                             const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return ErrorAt(source, 1, 1, fmt::format("more than {} bytes", limits.max_bytes),
                   "invalid_yaml");
  }
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(limits);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    return ErrorAt(source, refusal.line, refusal.column, refusal.message, "invalid_yaml");
  } catch (const YAML::Exception& error) {
    return ErrorAt(source, error.mark.line + 1, error.mark.column + 1, error.msg, "invalid_yaml");
  }
  return builder.TakeRoot();
}

StatusOr<YamlNode> ReadYamlFile(const std::filesystem::path& path, const YamlLimits& limits) {
  LLMD_ASSIGN_OR_RETURN(std::string text, ReadFile(path, limits.max_bytes));
  return ParseYaml(text, path.string(), limits);
}

Status YamlError(std::string_view source, const YamlNode& node, std::string_view message,
                 std::string_view code) {
  return ErrorAt(source, node.line, node.column, message, code);
}

Status YamlKeyError(std::string_view source, const YamlNode& value, std::string_view message,
                    std::string_view code) {
  return ErrorAt(source, value.key_line, value.key_column, message, code);
}

}  // namespace llmd
