// FactSheet: everything a rule may ask about one repository: the raw Facts, and facts derived from
// them under dotted names ("config.model_type").
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "domain/facts.h"

namespace llmd {

using FactValue = std::variant<bool, int64_t, std::string, std::vector<std::string>>;

class FactSheet {
 public:
  // `facts` must outlive the sheet.
  explicit FactSheet(const Facts& facts) : facts_(&facts) {
    for (const FileEntry& file : facts.inventory.files) {
      if (file.path.find('/') == std::string::npos) root_files_.push_back(&file);
    }
  }

  const Facts& facts() const { return *facts_; }
  // The files that lie in no folder; most questions are about them.
  const std::vector<const FileEntry*>& root_files() const { return root_files_; }

  void Set(std::string name, FactValue value) { values_[std::move(name)] = std::move(value); }
  // The same, but an empty text is no fact.
  void SetText(std::string name, std::string value) {
    if (!value.empty()) Set(std::move(name), FactValue(std::move(value)));
  }
  const FactValue* Find(std::string_view name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? nullptr : &at->second;
  }
  // Empty when there is none or it is no text.
  std::string Text(std::string_view name) const {
    const FactValue* value = Find(name);
    const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
    return text == nullptr ? std::string() : *text;
  }
  bool Is(std::string_view name) const {
    const FactValue* value = Find(name);
    const auto* flag = value == nullptr ? nullptr : std::get_if<bool>(value);
    return flag != nullptr && *flag;
  }

 private:
  const Facts* facts_;
  std::vector<const FileEntry*> root_files_;
  std::map<std::string, FactValue, std::less<>> values_;
};

// As people read it: "true", "7", "a, b".
std::string ToString(const FactValue& value);

}  // namespace llmd
