#include "planner/planner.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/format.h"
#include "planner/draft.h"
#include "planner/launch.h"
#include "planner/saturating.h"
#include "planner/trainable.h"

namespace llmd::planner {
namespace {

bool AnyUsable(const ModelProfile& profile) {
  return std::any_of(profile.backends.begin(), profile.backends.end(),
                     [](const ModelProfile::Backend& backend) { return backend.usable; });
}

// Whether the estimate is about what was asked for, and of sizes that can be believed.
bool KnowsMemory(const Draft& draft, bool servable) {
  return draft.memory && draft.wish.ok() && servable;
}

void CompleteMemory(const Draft& draft, bool servable, ModelProfile& profile) {
  ModelProfile::Memory& memory = profile.memory;
  if (KnowsMemory(draft, servable)) {
    memory = {.weights_bytes = draft.memory->weights_bytes,
              .kv_bytes_per_token = draft.memory->kv_bytes_per_token,
              .required_bytes = draft.memory->required_bytes,
              .fits = draft.memory->fits};
    return;
  }
  // Nobody serves it so: the size of its weights is all that can be said.
  if (draft.selection.bytes > 0) memory.weights_bytes = draft.selection.bytes;
  memory.kv_bytes_per_token = 0;
  memory.required_bytes = 0;
  memory.fits = "no";
}

// What it takes at most while it is installed: uv links packages out of its cache.
std::string DiskNote(int64_t files, int64_t environment) {
  return fmt::format(
      "disk: up to {} while it is installed: {} of files, up to {} for the environment, less where "
      "models share it",
      FormatBytes(Plus(files, environment)), FormatBytes(files), FormatBytes(environment));
}

Status NotInstallable(const ModelProfile& profile, std::string_view code, std::string_view next) {
  std::string all;
  for (const std::string& reason : profile.reasons) all += (all.empty() ? "" : "; ") + reason;
  if (all.empty()) all = "no engine of llmd serves it";
  return MakeStatus(StatusCode::kFailedPrecondition,
                    fmt::format("{} cannot be installed here: {}", profile.repo_id, all),
                    {.code = std::string(code), .next_step = std::string(next)});
}

// The code says what CheckExitCode says.
const char* NotInstallableCode(const ModelProfile& profile) {
  return CheckExitCode(profile) == 4 ? "not_a_model" : "not_installable";
}

// "fp16" among the variants of a checkpoint; a quantisation of a GGUF is its own name.
std::string DtypeOf(const Selection& selection, const ModelProfile& profile) {
  if (selection.format == "gguf") return selection.variant;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kNames = {
      {{"fp16", "float16"}, {"bf16", "bfloat16"}, {"fp32", "float32"}, {"float16", "float16"}}};
  for (const auto& [variant, dtype] : kNames) {
    if (selection.variant == variant) return std::string(dtype);
  }
  return profile.dtype.value_or("");
}

// What was asked for by name is what the profile is about from here on; not so what an engine takes
// instead by itself.
void FollowWish(const PlannerInput& input, ModelProfile& profile) {
  const Wish& wish = input.wish;
  if (wish.variant.empty() && wish.file.empty() && wish.quantization.empty()) return;
  const StatusOr<Selection> wished = SelectWeights(input.facts, profile, wish);
  if (!wished.ok() || wished->variant.empty()) return;
  const Selection& selection = *wished;
  profile.weight_files = selection.files;
  profile.quantization = selection.quantization;
  if (std::string dtype = DtypeOf(selection, profile); !dtype.empty()) profile.dtype = dtype;
  const auto chosen = std::find_if(
      profile.variants.begin(), profile.variants.end(),
      [&](const ModelProfile::Variant& each) { return each.name == selection.variant; });
  if (chosen != profile.variants.end()) {
    std::rotate(profile.variants.begin(), chosen, chosen + 1);
  }
  profile.notes.insert(profile.notes.begin(),
                       fmt::format("variant {}: {} in {}", selection.variant,
                                   FormatBytes(selection.bytes), MainFile(selection)));
}

}  // namespace

Status CheckContradiction(const PlannerInput& input, const ModelProfile& profile) {
  const bool twice = !input.wish.variant.empty() && !input.wish.file.empty();
  return twice ? SelectWeights(input.facts, profile, input.wish).status() : OkStatus();
}

void CompleteProfile(const PlannerInput& input, ModelProfile& profile) {
  const Draft draft = MakeDraft(input, profile);
  const bool servable = profile.reasons.empty();
  profile.handler = draft.needs.handler;
  profile.requirements.packages = draft.needs.packages;
  profile.requirements.special = draft.needs.special;
  profile.backends.clear();
  for (const EngineFit& fit : draft.fits) {
    profile.backends.push_back({.name = fit.engine->id,
                                .usable = fit.usable && servable,
                                .reason = servable ? fit.reason : profile.reasons.front()});
  }
  CompleteMemory(draft, servable, profile);
  profile.download = {.bytes = draft.files.bytes,
                      .files = static_cast<int64_t>(draft.files.files.size()),
                      .skipped = draft.files.skipped};
  profile.trainable = FindTrainable(profile, input.facts, draft.selection);
  profile.supported =
      servable && std::any_of(draft.fits.begin(), draft.fits.end(),
                              [](const EngineFit& fit) { return fit.served_on_os; });
  profile.notes = draft.needs.notes;
  if (draft.chosen != nullptr) {
    profile.notes.push_back(DiskNote(draft.files.bytes, draft.chosen->engine->environment_bytes));
  }
  if (KnowsMemory(draft, servable)) {
    profile.notes.insert(profile.notes.end(), draft.memory->basis.begin(),
                         draft.memory->basis.end());
  }
  if (draft.wish.ok()) FollowWish(input, profile);
  if (!servable) return;
  profile.reasons = draft.reasons;
  if (!draft.memory_reason.empty()) profile.reasons.push_back(draft.memory_reason);
}

int CheckExitCode(const ModelProfile& profile) {
  if (profile.kind == "unsupported") return 4;
  const bool installable = profile.supported && profile.reasons.empty() && AnyUsable(profile) &&
                           profile.memory.fits != "no";
  return installable ? 0 : 3;
}

StatusOr<Plan> MakePlan(const PlannerInput& input, const ModelProfile& profile,
                        const std::string& name, const std::string& folder_name) {
  const Draft draft = MakeDraft(input, profile);
  LLMD_RETURN_IF_ERROR(draft.wish);
  if (!profile.supported || draft.chosen == nullptr || !draft.reasons.empty()) {
    return NotInstallable(profile, NotInstallableCode(profile),
                          "llmctl check --explain says what was looked at.");
  }
  const bool code = profile.requirements.remote_code && draft.selection.format != "gguf";
  if (code && !input.wish.trust_remote_code) {
    return MakeStatus(StatusCode::kFailedPrecondition,
                      fmt::format("{} runs Python code out of its repository", profile.repo_id),
                      {.code = "remote_code",
                       .next_step = "Read that code, then install with --trust-remote-code."});
  }
  if (!draft.memory_reason.empty() && !input.wish.force) {
    return NotInstallable(
        profile, "does_not_fit",
        "Choose a smaller variant, quantization or context, or insist with --force.");
  }
  const Subject subject{.profile = profile, .facts = input.facts, .machine = input.machine};
  const EngineFit& fit = *draft.chosen;
  return Plan{.name = name,
              .folder_name = folder_name,
              .engine = fit.engine->id,
              .handler = draft.needs.handler,
              .packages = draft.needs.packages,
              .smoke_argv = SmokeArgv(*fit.engine, profile),
              .scripts = draft.needs.scripts,
              .files = draft.files.files,
              .download_bytes = draft.files.bytes,
              .environment_bytes = fit.engine->environment_bytes,
              .memory_bytes = draft.memory->host_bytes,
              .launch = MakeLaunch(subject, fit, *draft.memory, name)};
}

}  // namespace llmd::planner
