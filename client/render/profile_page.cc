#include "render/profile_page.h"

#include <fmt/core.h>

#include "base/format.h"
#include "render/table.h"

namespace llmd::client {
namespace {

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

template <typename List>
std::string Joined(const List& list) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : ", ") + Safe(item);
  return text;
}

std::string WhatItIs(const v1::ModelProfile& profile) {
  std::string text = Safe(profile.kind());
  if (profile.has_architecture()) text += ", " + Safe(profile.architecture());
  if (profile.has_parameters()) text += ", " + Count(profile.parameters()) + " parameters";
  if (profile.has_dtype()) text += ", " + Safe(profile.dtype());
  if (profile.quantization() != "none") text += ", " + Safe(profile.quantization());
  return text;
}

std::string Fit(const v1::ModelProfile& profile, const Terminal& terminal) {
  const v1::MemoryEstimate& memory = profile.memory();
  if (memory.required_bytes() == 0) return "";
  const std::string size =
      fmt::format("about {} (weights {}, estimate)", FormatBytes(memory.required_bytes()),
                  FormatBytes(memory.weights_bytes()));
  if (memory.fits() == "yes") return terminal.Green("fits") + ", " + size;
  if (memory.fits() == "tight") return terminal.Yellow("tight") + ", " + size;
  return terminal.Red("does not fit") + ", " + size;
}

std::string Engines(const v1::ModelProfile& profile) {
  std::string text;
  for (const v1::Backend& backend : profile.backends()) {
    if (!text.empty()) text += ", ";
    text += Safe(backend.name());
    if (!backend.usable()) text += fmt::format(" (no: {})", Safe(backend.reason()));
  }
  return text;
}

std::string Variants(const v1::ModelProfile& profile) {
  std::string text;
  for (const v1::Variant& variant : profile.variants()) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} ({})", Safe(variant.name()), FormatBytes(variant.bytes()));
  }
  return text;
}

std::string Verdict(const v1::ModelProfile& profile, const Terminal& terminal) {
  if (profile.supported() && profile.memory().fits() != "no") {
    return terminal.Green("can be installed here");
  }
  if (profile.detector() == "none") return terminal.Red("not a model that llmd can serve");
  return terminal.Red("cannot be installed here");
}

}  // namespace

std::string ProfilePage(const v1::ModelProfile& profile, const Terminal& terminal) {
  std::string out =
      fmt::format("{}: {}\n", terminal.Bold(Safe(profile.repo_id())), Verdict(profile, terminal));
  for (const std::string& reason : profile.reasons()) {
    out += fmt::format("  {} {}\n", terminal.Yellow("!"), Safe(reason));
  }
  Line(out, terminal, "what", WhatItIs(profile));
  Line(out, terminal, "can", Joined(profile.capabilities()));
  if (profile.has_context_length()) {
    Line(out, terminal, "context", fmt::format("{} tokens", profile.context_length()));
  }
  Line(out, terminal, "memory", Fit(profile, terminal));
  Line(out, terminal, "download",
       profile.download().files() == 0
           ? ""
           : fmt::format("{} in {} files", FormatBytes(profile.download().bytes()),
                         profile.download().files()));
  Line(out, terminal, "engines", Engines(profile));
  Line(out, terminal, "variants", Variants(profile));
  Line(out, terminal, "fine-tuning",
       profile.trainable().lora() ? "LoRA" : "no: " + Safe(profile.trainable().reason()));
  Line(out, terminal, "licence",
       (profile.has_license() ? Safe(profile.license()) : "not stated") +
           (profile.gated() ? ", gated" : ""));
  if (profile.requirements().remote_code()) {
    Line(out, terminal, "remote code", terminal.Yellow("runs code from the repository"));
  }
  Line(out, terminal, "found by", Safe(profile.detector()));
  if (profile.has_revision()) Line(out, terminal, "commit", Safe(profile.revision()));
  return out;
}

std::string EvidencePage(const v1::ModelProfile& profile, const Terminal& terminal) {
  std::string out = terminal.Bold("How it was found") + "\n";
  Table table({"DETECTOR", "MATCHED", "BECAUSE"});
  for (const v1::Evidence& evidence : profile.evidence()) {
    table.Add({evidence.detector(), evidence.matched() ? "yes" : "no", evidence.because()});
  }
  return out + table.Render();
}

}  // namespace llmd::client
