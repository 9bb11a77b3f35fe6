#include "handlers/handlers.h"

#include <algorithm>

#include "domain/spec_reader.h"

namespace llmd::handlers {
namespace {

constexpr char kGeneral[] = "general";

StatusOr<SpecialSpec> ParseSpecial(const std::string& file, const YamlNode& node) {
  SpecReader reader(file, node, {"name", "requirement", "when", "install", "note"});
  SpecialSpec special;
  if (reader.Require("name")) reader.Read("name", special.name);
  special.requirement = special.name;
  reader.Read("requirement", special.requirement);
  reader.Read("when", special.when);
  reader.Read("note", special.note);
  // `install: always`, or the conditions.
  if (const YamlNode* install = reader.Find("install")) {
    special.installed = true;
    if (install->IsScalar()) {
      reader.CheckOneOf("install", {"always"});
    } else {
      reader.Read("install", special.install_when);
    }
  }
  if (special.installed && !IsRequirement(special.requirement)) {
    reader.Fail(node, fmt::format("'{}' is not a package with versions", special.requirement));
  }
  if (!reader.status().ok()) return reader.status();
  return special;
}

StatusOr<ScriptSpec> ParseScript(const std::string& file, const YamlNode& node) {
  SpecReader reader(file, node, {"name", "when"});
  ScriptSpec script;
  if (reader.Require("name")) reader.Read("name", script.name);
  if (reader.status().ok() && script.name.find('/') != std::string::npos) {
    reader.Fail(node, "a script's name has no folder");
  }
  reader.Read("when", script.when);
  if (!reader.status().ok()) return reader.status();
  return script;
}

StatusOr<NoteSpec> ParseNote(const std::string& file, const YamlNode& node) {
  SpecReader reader(file, node, {"text", "when"});
  NoteSpec note;
  if (reader.Require("text")) reader.Read("text", note.text);
  reader.Read("when", note.when);
  if (!reader.status().ok()) return reader.status();
  return note;
}

StatusOr<HandlerSpec> ParseHandler(const SpecFile& file) {
  SpecReader reader(
      file.name, file.root,
      {"schema", "id", "addition", "match", "packages", "special", "scripts", "notes", "refusals"});
  HandlerSpec handler{.file = file.name};
  LLMD_ASSIGN_OR_RETURN(handler.id, ReadSpecId(reader));
  reader.Read("addition", handler.addition);
  reader.Read("match", handler.match);
  reader.Read("packages", handler.packages);
  reader.ReadList("special", &ParseSpecial, handler.special);
  reader.ReadList("scripts", &ParseScript, handler.scripts);
  reader.ReadList("notes", &ParseNote, handler.notes);
  reader.ReadList("refusals", &ParseNote, handler.refusals);
  if (!handler.addition && handler.match.empty() && handler.id != kGeneral) {
    reader.Fail(file.root, "'match' is missing: only the handler 'general' takes every model");
  }
  if (!reader.status().ok()) return reader.status();
  return handler;
}

// 0 the user's, 1 ours, 2 general, 3 additions.
int Rank(const HandlerSpec& handler) {
  if (handler.addition) return 3;
  if (handler.id == kGeneral) return 2;
  return handler.user ? 0 : 1;
}

}  // namespace

StatusOr<std::vector<HandlerSpec>> LoadHandlers(const std::filesystem::path& dir,
                                                const std::filesystem::path& user_dir,
                                                std::vector<std::string>& user_errors) {
  LLMD_ASSIGN_OR_RETURN(
      std::vector<HandlerSpec> handlers,
      LoadSpecs<HandlerSpec>(dir, user_dir, SpecKind::kHandler, user_errors, &ParseHandler));
  std::stable_sort(handlers.begin(), handlers.end(),
                   [](const HandlerSpec& a, const HandlerSpec& b) { return Rank(a) < Rank(b); });
  const auto general = std::find_if(
      handlers.begin(), handlers.end(),
      [](const HandlerSpec& handler) { return !handler.user && handler.id == kGeneral; });
  if (general == handlers.end()) {
    return FailedPrecondition("{}: the handler '{}' is missing", dir.string(), kGeneral);
  }
  return handlers;
}

}  // namespace llmd::handlers
