#include "planner/requirements.h"

#include <algorithm>

#include "domain/names.h"

namespace llmd::planner {
namespace {

void AddOnce(std::vector<std::string>& list, const std::string& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

// One that says nothing but a name adds nothing to another of that name.
void AddPackage(Needs& needs, const std::string& requirement) {
  const auto same = [&](const std::string& known) { return RequirementName(known) == requirement; };
  if (std::none_of(needs.packages.begin(), needs.packages.end(), same)) {
    AddOnce(needs.packages, requirement);
  }
}

void AddPackages(const std::vector<PackageSpec>& packages, const Subject& subject, Needs& needs) {
  for (const PackageSpec& package : packages) {
    if (Holds(package.when, subject)) AddPackage(needs, package.requirement);
  }
}

void AddHandler(const HandlerSpec& handler, const Subject& subject, Needs& needs) {
  AddPackages(handler.packages, subject, needs);
  for (const SpecialSpec& special : handler.special) {
    if (!Holds(special.when, subject)) continue;
    AddOnce(needs.special, special.name);
    if (special.installed && Holds(special.install_when, subject)) {
      AddPackage(needs, special.requirement);
    } else if (!special.note.empty()) {
      AddOnce(needs.notes, special.note);
    }
  }
  for (const ScriptSpec& script : handler.scripts) {
    if (Holds(script.when, subject)) AddOnce(needs.scripts, script.name);
  }
  for (const NoteSpec& note : handler.notes) {
    if (Holds(note.when, subject)) AddOnce(needs.notes, note.text);
  }
  for (const NoteSpec& refusal : handler.refusals) {
    if (Holds(refusal.when, subject)) AddOnce(needs.refusals, refusal.text);
  }
}

}  // namespace

Needs FindNeeds(const Subject& subject, const EngineFit* fit,
                const std::vector<HandlerSpec>& handlers) {
  Needs needs;
  const Subject about{.profile = subject.profile,
                      .facts = subject.facts,
                      .machine = subject.machine,
                      .engine = fit == nullptr ? std::string_view() : fit->engine->id};
  if (fit != nullptr) {
    AddPackages(fit->engine->packages, about, needs);
    if (fit->load_quantization != nullptr) {
      AddPackages(fit->load_quantization->packages, about, needs);
    }
  }
  for (const HandlerSpec& handler : handlers) {
    if (!handler.addition && !needs.handler.empty()) continue;
    if (!Holds(handler.match, about)) continue;
    if (!handler.addition) needs.handler = handler.id;
    AddHandler(handler, about, needs);
  }
  return needs;
}

}  // namespace llmd::planner
