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

// How a fact is told to people. May hold {fact} placeholders.
struct FactPhrases {
  std::string_view yes;  // the flag is set; of another fact what stands before "= value"
  std::string_view no;   // the flag is not set; of another fact that there is none
};

class FactSheet {
 public:
  using PhraseBook = FactPhrases (*)(std::string_view fact);

  // `facts` must outlive the sheet. Without phrases facts are told by their names.
  explicit FactSheet(const Facts& facts, PhraseBook phrases = nullptr)
      : facts_(&facts), phrases_(phrases) {
    for (const FileEntry& file : facts.inventory.files) {
      if (file.path.find('/') == std::string::npos) root_files_.push_back(&file);
    }
  }

  const Facts& facts() const { return *facts_; }
  FactPhrases PhrasesOf(std::string_view fact) const {
    return phrases_ == nullptr ? FactPhrases{} : phrases_(fact);
  }
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
  PhraseBook phrases_;
  std::vector<const FileEntry*> root_files_;
  std::map<std::string, FactValue, std::less<>> values_;
};

// As people read it: "true", "7", "a, b".
std::string ToString(const FactValue& value);

}  // namespace llmd
