#include "domain/rule_matcher.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "domain/glob.h"
#include "domain/json_path.h"
#include "domain/names.h"

namespace llmd {
namespace {

using nlohmann::json;

constexpr size_t kMaxBecause = 240;

std::string Shorten(std::string text, size_t limit) {
  if (text.size() <= limit) return text;
  text.resize(limit - 3);
  return text + "...";
}

std::string Join(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += between;
    text += part;
  }
  return text;
}

bool MatchesAny(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return MatchesGlob(pattern, text); });
}

// The first file that fits; nullptr when there is none. Of large inventories only what can fit is
// compared: root files when the pattern has no '/', names with its literal end.
const FileEntry* FindFile(std::string_view pattern, const FactSheet& sheet) {
  const FileInventory& inventory = sheet.facts().inventory;
  if (!IsGlob(pattern)) return inventory.Find(pattern);
  if (pattern.find('/') == pattern.npos && pattern.find("**") == pattern.npos) {
    const auto& files = sheet.root_files();
    const auto found = std::find_if(files.begin(), files.end(), [&](const FileEntry* file) {
      return MatchesGlob(pattern, file->path);
    });
    return found == files.end() ? nullptr : *found;
  }
  const std::string_view end = pattern.substr(pattern.find_last_of("*?") + 1);
  const auto found =
      std::find_if(inventory.files.begin(), inventory.files.end(), [&](const FileEntry& file) {
        return file.path.ends_with(end) && MatchesPathGlob(pattern, file.path);
      });
  return found == inventory.files.end() ? nullptr : &*found;
}

Match MatchFile(const Predicate& predicate, const FactSheet& sheet) {
  for (const std::string& pattern : predicate.patterns) {
    if (const FileEntry* file = FindFile(pattern, sheet)) return {true, file->path + " is there"};
  }
  return {false, "no " + Join(predicate.patterns, ", ") + " file"};
}

Match MatchTag(const Predicate& predicate, const FactSheet& sheet) {
  for (const std::string& tag : sheet.facts().info.tags) {
    if (MatchesAny(predicate.patterns, tag)) return {true, fmt::format("tag {}", tag)};
  }
  return {false, "no tag " + Join(predicate.patterns, ", ")};
}

// "/architectures/0" -> "architectures[0]"
std::string Readable(std::string_view pointer) {
  std::string text;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string_view part = pointer.substr(0, end);
    const bool index = !part.empty() && part.find_first_not_of("0123456789") == part.npos;
    if (index) {
      text += fmt::format("[{}]", part);
    } else {
      text += text.empty() ? std::string(part) : fmt::format(".{}", part);
    }
    pointer.remove_prefix(end);
  }
  return text.empty() ? "the document" : text;
}

std::string Show(const json& value) {
  if (value.is_string()) return Shorten(value.get<std::string>(), 80);
  if (value.is_object()) return "{...}";
  if (value.is_array()) return "[...]";
  return Shorten(value.dump(-1, ' ', false, json::error_handler_t::replace), 80);
}

// The texts of a value that patterns are compared with: itself, or each of a list.
std::vector<std::string> Texts(const json& value) {
  std::vector<std::string> texts;
  constexpr size_t kMost = 64;
  if (value.is_array()) {
    for (const json& item : value) {
      if (texts.size() < kMost && item.is_primitive() && !item.is_null())
        texts.push_back(Show(item));
    }
  } else if (value.is_primitive() && !value.is_null()) {
    texts.push_back(Show(value));
  }
  return texts;
}

Match MatchJson(const Predicate& predicate, const FactSheet& sheet) {
  const auto& documents = sheet.facts().documents;
  const auto document = documents.find(predicate.name);
  if (document == documents.end() || document->second.json == nullptr) {
    const bool broken = document != documents.end() && !document->second.error.empty();
    return {false, broken ? document->second.error : "no " + predicate.name};
  }
  const std::string where = fmt::format("{}: {}", predicate.name, Readable(predicate.pointer));
  const json* value = JsonAt(*document->second.json, predicate.pointer);
  if (value == nullptr || value->is_null()) {
    const bool negative = predicate.test == Predicate::Test::kIs && !predicate.wanted;
    return {negative, where + " is not there"};
  }
  const std::string shown = fmt::format("{} = {}", where, Show(*value));
  switch (predicate.test) {
    case Predicate::Test::kExists: return {!value->is_boolean() || value->get<bool>(), shown};
    case Predicate::Test::kIs:
      return {value->is_boolean() && value->get<bool>() == predicate.wanted, shown};
    case Predicate::Test::kAtLeast: {
      const std::optional<int64_t> number = AsSize(*value);
      return {number && *number >= predicate.least, shown};
    }
    case Predicate::Test::kMatches: break;
  }
  for (const std::string& text : Texts(*value)) {
    if (MatchesAny(predicate.patterns, text)) return {true, shown};
  }
  return {false, shown};
}

// A fact in words of people: "config.json: model_type = llama", "config.json names no model_type".
std::string Tell(const std::string& name, bool asks_flag, const FactSheet& sheet) {
  const FactPhrases phrases = sheet.PhrasesOf(name);
  const FactValue* value = sheet.Find(name);
  if (asks_flag || (value != nullptr && std::holds_alternative<bool>(*value))) {
    const bool is = sheet.Is(name);
    const std::string_view phrase = is ? phrases.yes : phrases.no;
    return phrase.empty() ? fmt::format("{} is {}", name, is) : FillIn(phrase, sheet);
  }
  if (value == nullptr) {
    return phrases.no.empty() ? name + " is not known" : FillIn(phrases.no, sheet);
  }
  return fmt::format("{} = {}", phrases.yes.empty() ? name : FillIn(phrases.yes, sheet),
                     Shorten(ToString(*value), 80));
}

Match MatchFact(const Predicate& predicate, const FactSheet& sheet) {
  const FactValue* value = sheet.Find(predicate.name);
  const bool asks_flag = predicate.test == Predicate::Test::kIs;
  std::string shown = Tell(predicate.name, asks_flag, sheet);
  if (asks_flag) return {sheet.Is(predicate.name) == predicate.wanted, std::move(shown)};
  if (value == nullptr) return {false, std::move(shown)};
  if (predicate.test == Predicate::Test::kExists) {
    const bool* flag = std::get_if<bool>(value);
    return {flag == nullptr || *flag, shown};
  }
  if (predicate.test == Predicate::Test::kAtLeast) {
    const int64_t* number = std::get_if<int64_t>(value);
    return {number != nullptr && *number >= predicate.least, shown};
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(value)) {
    const bool any = std::any_of(list->begin(), list->end(), [&](const std::string& text) {
      return MatchesAny(predicate.patterns, text);
    });
    return {any, shown};
  }
  return {MatchesAny(predicate.patterns, ToString(*value)), shown};
}

Match MatchParts(const Predicate& predicate, const FactSheet& sheet) {
  const bool any = predicate.kind == Predicate::Kind::kAny;
  std::vector<std::string> because;
  for (const Predicate& part : predicate.parts) {
    Match match = MatchPredicate(part, sheet);
    if (match.matched == any) return match;  // the one that decides
    const bool said = std::find(because.begin(), because.end(), match.because) != because.end();
    if (!said) because.push_back(std::move(match.because));
  }
  return {!any, Shorten(Join(because, "; "), kMaxBecause)};
}

}  // namespace

std::string ToString(const FactValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const int64_t* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  if (const std::string* text = std::get_if<std::string>(&value)) return *text;
  return Join(std::get<std::vector<std::string>>(value), ", ");
}

Match MatchPredicate(const Predicate& predicate, const FactSheet& sheet) {
  Match match;
  switch (predicate.kind) {
    case Predicate::Kind::kFile: match = MatchFile(predicate, sheet); break;
    case Predicate::Kind::kTag: match = MatchTag(predicate, sheet); break;
    case Predicate::Kind::kJson: match = MatchJson(predicate, sheet); break;
    case Predicate::Kind::kFact: match = MatchFact(predicate, sheet); break;
    case Predicate::Kind::kAll:
    case Predicate::Kind::kAny: match = MatchParts(predicate, sheet); break;
    case Predicate::Kind::kNot:
      match = MatchPredicate(predicate.parts.front(), sheet);
      match.matched = !match.matched;
      break;
  }
  match.because = SanitizeForTerminal(match.because);
  return match;
}

std::string FillIn(std::string_view text, const FactSheet& sheet) {
  std::string filled;
  while (!text.empty()) {
    const size_t open = text.find('{');
    const size_t close = open == text.npos ? text.npos : text.find('}', open);
    if (close == text.npos) return filled.append(text);
    filled.append(text.substr(0, open));
    const FactValue* value = sheet.Find(text.substr(open + 1, close - open - 1));
    if (value != nullptr) filled += ToString(*value);
    text.remove_prefix(close + 1);
  }
  return filled;
}

}  // namespace llmd
