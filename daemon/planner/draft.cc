#include "planner/draft.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/format.h"

namespace llmd::planner {
namespace {

std::string EngineNames(const std::vector<EngineSpec>& engines) {
  std::string names;
  for (const EngineSpec& engine : engines) names += (names.empty() ? "" : ", ") + engine.id;
  return names;
}

Status CheckWish(const PlannerInput& input, const ModelProfile& profile) {
  const Wish& wish = input.wish;
  const auto named = [&](const EngineSpec& engine) { return engine.id == wish.engine; };
  if (!wish.engine.empty() && std::none_of(input.engines.begin(), input.engines.end(), named)) {
    return MakeStatus(
        StatusCode::kInvalidArgument,
        fmt::format("there is no engine '{}'; there are {}", wish.engine,
                    EngineNames(input.engines)),
        {.code = "unknown_engine", .next_step = "Name one of them, or none for the usual one."});
  }
  constexpr std::array<std::string_view, 4> kSizes = {"none", "8bit", "4bit", "fp8"};
  const bool size = std::find(kSizes.begin(), kSizes.end(), wish.quantization) != kSizes.end();
  const auto variant = [&](const ModelProfile::Variant& each) {
    return each.name == wish.quantization;
  };
  if (!wish.quantization.empty() && !size &&
      std::none_of(profile.variants.begin(), profile.variants.end(), variant)) {
    return MakeStatus(StatusCode::kInvalidArgument,
                      fmt::format("'{}' is no quantisation: none, 8bit, 4bit, fp8, or a variant's "
                                  "name",
                                  wish.quantization),
                      {.code = "unknown_quantization", .next_step = "Name one of them."});
  }
  const int64_t most = profile.context_length.value_or(0);
  if (wish.context < 0 || (most > 0 && wish.context > most)) {
    return MakeStatus(
        StatusCode::kInvalidArgument,
        fmt::format("a context of {} tokens was asked for; {} takes {}", wish.context,
                    profile.repo_id, most),
        {.code = "context_too_long", .next_step = fmt::format("Ask for {} or less.", most)});
  }
  return OkStatus();
}

// The refusals that tell most: of engines that serve this kind, else of all.
std::string NobodyServes(const std::vector<EngineFit>& fits, const ModelProfile& profile) {
  constexpr size_t kMost = 3;
  std::string named;
  size_t count = 0;
  for (const EngineFit& fit : fits) {
    const auto& serves = fit.engine->serves;
    const bool kind = std::any_of(serves.begin(), serves.end(), [&](const ServedKind& served) {
      return served.kind == profile.kind;
    });
    if (!kind || count++ >= kMost) continue;
    named += fmt::format("{}{} {}", named.empty() ? "" : "; ", fit.engine->id, fit.reason);
  }
  if (named.empty())
    return fmt::format("no engine of llmd serves models of the kind {}", profile.kind);
  return "no engine of llmd serves it: " + named;
}

std::string DiskReason(const MachineFacts& machine, int64_t download, int64_t environment) {
  if (download + environment <= machine.disk_free_bytes) return "";
  return fmt::format(
      "needs about {} of disk ({} of files, up to {} of environment), and {} is free",
      FormatBytes(download + environment), FormatBytes(download), FormatBytes(environment),
      FormatBytes(machine.disk_free_bytes));
}

void AddReasons(const PlannerInput& input, const ModelProfile& profile, Draft& draft) {
  if (!draft.wish.ok()) draft.reasons.push_back(Message(draft.wish));
  const EngineFit* chosen = draft.chosen;
  if (chosen == nullptr) {
    const std::vector<std::string>& refusals = draft.needs.refusals;
    if (!draft.wish.ok() || profile.kind == "unsupported") return;
    for (const EngineFit& fit : draft.fits) {
      if (fit.engine->id == input.wish.engine) {
        draft.reasons.push_back(fmt::format("{} {}", fit.engine->id, fit.reason));
        return;
      }
    }
    draft.reasons.insert(draft.reasons.end(), refusals.begin(), refusals.end());
    if (refusals.empty()) draft.reasons.push_back(NobodyServes(draft.fits, profile));
    return;
  }
  if (!chosen->usable) {
    draft.reasons.push_back(fmt::format("{} {}", chosen->engine->id, chosen->reason));
  }
  if (std::string disk =
          DiskReason(input.machine, draft.files.bytes, chosen->engine->environment_bytes);
      !disk.empty()) {
    draft.reasons.push_back(std::move(disk));
  }
  if (draft.memory) draft.memory_reason = draft.memory->refusal;
}

}  // namespace

Draft MakeDraft(const PlannerInput& input, const ModelProfile& profile) {
  Draft draft;
  draft.wish = CheckWish(input, profile);
  StatusOr<Selection> selection = SelectWeights(input.facts, profile, input.wish);
  if (!selection.ok()) {
    if (draft.wish.ok()) draft.wish = selection.status();
    selection = SelectWeights(input.facts, profile, {});
  }
  if (selection.ok()) draft.selection = *std::move(selection);
  const Subject subject{.profile = profile, .facts = input.facts, .machine = input.machine};
  draft.fits = FitEngines(subject, input.wish, input.engines, draft.selection);
  draft.chosen = ChooseEngine(draft.fits, input.wish, draft.selection);
  if (draft.chosen != nullptr) {
    draft.selection = draft.chosen->selection;
    draft.memory = EstimateMemory(subject, input.wish, *draft.chosen);
  }
  draft.files = ChooseFiles(input.facts, profile, draft.selection);
  const EngineFit* nearest =
      draft.chosen != nullptr ? draft.chosen : NearestEngine(draft.fits, profile);
  draft.needs = FindNeeds(subject, nearest, input.handlers);
  AddReasons(input, profile, draft);
  return draft;
}

}  // namespace llmd::planner
