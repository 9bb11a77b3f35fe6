#include "render/profile_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "domain/names.h"
#include "lib/exit_code.h"
#include "render/table.h"

namespace llmd::client {
namespace {

constexpr int kMostListed = 8;  // of a list on the page; --json has them all

std::string Count(int64_t value) {
  if (value >= 1'000'000'000) return fmt::format("{:.1f} B", static_cast<double>(value) / 1e9);
  if (value >= 1'000'000) return fmt::format("{:.0f} M", static_cast<double>(value) / 1e6);
  return std::to_string(value);
}

void Line(std::string& out, const Terminal& terminal, std::string_view label,
          const std::string& value) {
  if (value.empty()) return;
  out += fmt::format("{} {}\n", terminal.Dim(fmt::format("  {:<12}", label)), value);
}

// "a, b, c and 5 more"; `text_of` makes one item's text.
template <typename List, typename TextOf>
std::string Joined(const List& list, TextOf text_of) {
  std::string text;
  int listed = 0;
  for (const auto& item : list) {
    if (listed == kMostListed && list.size() > kMostListed + 1) {
      return text + fmt::format(" and {} more", list.size() - kMostListed);
    }
    text += (listed++ == 0 ? "" : ", ") + text_of(item);
  }
  return text;
}

std::string Text(const std::string& text) { return Safe(text); }

std::string WhatItIs(const v1::ModelProfile& profile) {
  std::string text = Safe(profile.kind());
  if (profile.has_architecture()) text += ", " + Safe(profile.architecture());
  if (profile.has_parameters()) text += ", " + Count(profile.parameters()) + " parameters";
  if (profile.has_dtype()) text += ", " + Safe(profile.dtype());
  if (profile.quantization() != "none") text += ", " + Safe(profile.quantization());
  return text;
}

std::string Licence(const v1::ModelProfile& profile) {
  std::string text = profile.has_license() ? Safe(profile.license()) : "not stated";
  // Who has no access gets an error instead of a page.
  if (profile.gated()) text += "; gated, you have access";
  return text;
}

std::string Fit(const v1::ModelProfile& profile, const Terminal& terminal) {
  const v1::MemoryEstimate& memory = profile.memory();
  if (memory.required_bytes() == 0) return "";
  std::string size =
      fmt::format("about {} (estimate: weights {}", FormatBytes(memory.required_bytes()),
                  FormatBytes(memory.weights_bytes()));
  if (memory.kv_bytes_per_token() > 0) {
    size += fmt::format(", {} a token of context", FormatBytes(memory.kv_bytes_per_token()));
  }
  size += ")";
  if (memory.fits() == "yes") return terminal.Green("fits") + ", " + size;
  if (memory.fits() == "tight") return terminal.Yellow("tight") + ", " + size;
  return terminal.Red("does not fit") + ", " + size;
}

std::string Download(const v1::DownloadPlan& download) {
  if (download.files() == 0) return "";
  std::string text = fmt::format("{} in {} file{}", FormatBytes(download.bytes()), download.files(),
                                 download.files() == 1 ? "" : "s");
  if (download.skipped_size() > 0) {
    text += fmt::format(", {} left out", download.skipped_size());
  }
  return text;
}

// Those that serve it on the first line, then the others, by reason.
void AddEngines(std::string& out, const v1::ModelProfile& profile, const Terminal& terminal) {
  std::string usable;
  std::vector<std::pair<std::string, std::string>> refused;  // reason, names
  for (const v1::Backend& backend : profile.backends()) {
    if (backend.usable()) {
      usable += (usable.empty() ? "" : ", ") + Safe(backend.name());
      continue;
    }
    auto group = std::find_if(refused.begin(), refused.end(), [&backend](const auto& known) {
      return known.first == backend.reason();
    });
    if (group == refused.end()) {
      refused.emplace_back(backend.reason(), Safe(backend.name()));
    } else {
      group->second += ", " + Safe(backend.name());
    }
  }
  if (profile.backends().empty() || profile.detector() == "none") return;
  Line(out, terminal, "engines", usable.empty() ? "none" : usable);
  for (const auto& [reason, names] : refused) {
    Line(out, terminal, "", fmt::format("not {}: {}", names, Safe(reason)));
  }
}

std::string Packages(const v1::Requirements& requirements) {
  std::string text = Joined(requirements.packages(), Text);
  std::vector<std::string> others;
  for (const std::string& special : requirements.special()) {
    const auto installed = [&](const std::string& package) {
      return RequirementName(package) == special;
    };
    const auto& packages = requirements.packages();
    if (std::none_of(packages.begin(), packages.end(), installed)) others.push_back(special);
  }
  if (others.empty()) return text;
  return text + fmt::format("{}knows also {}", text.empty() ? "" : "; ", Joined(others, Text));
}

std::string Verdict(const v1::CheckResponse& response, const Terminal& terminal) {
  if (response.exit_code() == kDone) return terminal.Green("can be installed here");
  if (response.exit_code() == kNotAModel) return terminal.Red("not a model that llmd can serve");
  return terminal.Red("cannot be installed here");
}

std::string Facts(const v1::ModelProfile& profile, const Terminal& terminal) {
  std::string out;
  for (const std::string& reason : profile.reasons()) {
    out += fmt::format("  {} {}\n", terminal.Yellow("!"), Safe(reason));
  }
  Line(out, terminal, "what", WhatItIs(profile));
  Line(out, terminal, "parts", Joined(profile.components(), [](const v1::Component& part) {
         return Safe(part.name() + " " + part.class_());
       }));
  if (profile.has_base_model()) Line(out, terminal, "base model", Safe(profile.base_model()));
  Line(out, terminal, "can", Joined(profile.capabilities(), Text));
  if (profile.has_context_length()) {
    Line(out, terminal, "context", fmt::format("{} tokens", profile.context_length()));
  }
  Line(out, terminal, "licence", Licence(profile));
  Line(out, terminal, "memory", Fit(profile, terminal));
  Line(out, terminal, "download", Download(profile.download()));
  Line(out, terminal, "packages", Packages(profile.requirements()));
  AddEngines(out, profile, terminal);
  Line(out, terminal, "variants", Joined(profile.variants(), [](const v1::Variant& variant) {
         return fmt::format("{} ({})", Safe(variant.name()), FormatBytes(variant.bytes()));
       }));
  const v1::Trainable& trainable = profile.trainable();
  const std::string why = trainable.reason().empty() ? "" : ": " + Safe(trainable.reason());
  if (profile.detector() != "none") {
    Line(out, terminal, "fine-tuning", trainable.lora() ? "LoRA" : "no" + why);
  }
  if (profile.requirements().remote_code()) {
    Line(out, terminal, "remote code", terminal.Yellow("runs code from the repository"));
  }
  Line(out, terminal, "found by", Safe(profile.detector()));
  if (profile.has_revision()) Line(out, terminal, "commit", Safe(profile.revision()));
  return out;
}

}  // namespace

std::string CheckPage(const v1::CheckResponse& response, const Terminal& terminal) {
  const v1::ModelProfile& profile = response.profile();
  std::string page = fmt::format("{}: {}\n{}", terminal.Bold(Safe(profile.repo_id())),
                                 Verdict(response, terminal), Facts(profile, terminal));
  for (const std::string& note : response.notes()) {
    Line(page, terminal, &note == &response.notes(0) ? "notes" : "", Safe(note));
  }
  return page;
}

std::string ProfilePage(const v1::ModelProfile& profile, const Terminal& terminal) {
  return terminal.Bold(Safe(profile.repo_id())) + "\n" + Facts(profile, terminal);
}

std::string EvidencePage(const v1::ModelProfile& profile, const Terminal& terminal) {
  std::string out = terminal.Bold("How it was found") + "\n";
  Table table({"DETECTOR", "MATCHED", "BECAUSE"});
  for (const v1::Evidence& evidence : profile.evidence()) {
    table.Add({evidence.detector(), evidence.matched() ? "yes" : "no", evidence.because()});
  }
  out += table.Render();
  if (profile.download().skipped().empty()) return out;
  out += "\n" + terminal.Bold("What install leaves out") + "\n";
  Table skipped({"FILE", "WHY"});
  for (const v1::SkippedFile& file : profile.download().skipped()) {
    skipped.Add({file.path(), file.why()});
  }
  return out + skipped.Render();
}

}  // namespace llmd::client
