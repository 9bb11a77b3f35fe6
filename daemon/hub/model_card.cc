#include "hub/model_card.h"

#include <optional>
#include <string>

#include "base/yaml_reader.h"

namespace llmd::hub {
namespace {

constexpr std::string_view kFence = "---\n";
constexpr size_t kMaxTags = 1000;

// A scalar, or the first of a list.
std::optional<std::string> TextOrFirst(const YamlNode& head, std::string_view key) {
  const YamlNode* node = head.Find(key);
  if (node != nullptr && node->IsSequence() && !node->items.empty()) node = &node->items.front();
  if (node == nullptr || !node->IsScalar() || node->scalar.empty()) return std::nullopt;
  return node->scalar;
}

}  // namespace

void TakeModelCard(std::string_view card, RepositoryInfo& info) {
  std::string text(card);
  std::erase(text, '\r');
  if (!text.starts_with(kFence)) return;
  const size_t end = text.find("\n---", kFence.size() - 1);
  if (end == std::string::npos) return;
  const auto head = ParseYaml(text.substr(kFence.size(), end + 1 - kFence.size()), "README.md");
  if (!head.ok() || !head->IsMap()) return;
  info.license = TextOrFirst(*head, "license");
  info.base_model = TextOrFirst(*head, "base_model");
  info.pipeline_tag = TextOrFirst(*head, "pipeline_tag");
  info.library_name = TextOrFirst(*head, "library_name");
  const YamlNode* tags = head->Find("tags");
  if (tags == nullptr || !tags->IsSequence()) return;
  for (const YamlNode& tag : tags->items) {
    if (tag.IsScalar() && info.tags.size() < kMaxTags) info.tags.push_back(tag.scalar);
  }
}

}  // namespace llmd::hub
