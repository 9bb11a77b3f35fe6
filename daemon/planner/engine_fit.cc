#include "planner/engine_fit.h"

#include <algorithm>

#include <fmt/core.h>

namespace llmd::planner {
namespace {

bool Contains(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool Reads(const EngineSpec& engine, const Selection& selection) {
  return engine.formats.empty() || Contains(engine.formats, selection.format);
}

std::string NeedsGpu(const EngineSpec& engine) {
  return Contains(engine.gpu, "cuda") ? "needs a CUDA GPU" : "needs an Apple GPU";
}

std::string NeedsOs(const EngineSpec& engine) {
  if (!Contains(engine.os, "macos")) return "needs Linux";
  return Contains(engine.gpu, "metal") ? "needs macOS on Apple silicon" : "needs macOS";
}

// Finds out step by step; the first step that fails is the reason.
class Fitter {
 public:
  Fitter(const Subject& subject, const Wish& wish, const EngineSpec& engine,
         const Selection& selection)
      : subject_(subject), wish_(wish), engine_(engine) {
    fit_.engine = &engine;
    fit_.selection = selection;
  }

  EngineFit Fit() {
    if (FindKind() && FindWeights() && CheckQuantization() && CheckCode()) CheckMachine();
    return std::move(fit_);
  }

 private:
  bool Refuse(std::string reason) {
    fit_.reason = std::move(reason);
    return false;
  }

  bool FindKind() {
    const ModelProfile& profile = subject_.profile;
    bool kind_known = false;
    // A GGUF beside other weights is loaded by its own loader, so `when` is not asked of it.
    const bool own_loader = Reads(engine_, fit_.selection);
    for (const ServedKind& served : engine_.serves) {
      if (served.kind != profile.kind) continue;
      kind_known = true;
      if (own_loader && !Holds(served.when, subject_)) continue;
      fit_.served = &served;
      return true;
    }
    if (!kind_known) return Refuse(fmt::format("serves no models of the kind {}", profile.kind));
    return Refuse(fmt::format("does not load models by {}",
                              profile.loader.value_or("a loader that is not known")));
  }

  bool FindWeights() {
    if (Reads(engine_, fit_.selection)) return true;
    const bool free_choice = wish_.variant.empty() && wish_.file.empty();
    Selection other = free_choice ? AlternativeIn(engine_.formats, subject_.facts, subject_.profile)
                                  : Selection{};
    if (other.files.empty()) {
      return Refuse(fit_.selection.format.empty()
                        ? "there are no weights that it reads"
                        : fmt::format("does not read {} weights", fit_.selection.format));
    }
    fit_.selection = std::move(other);
    remark_ = fmt::format("with --variant {}", fit_.selection.variant);
    return true;
  }

  bool CheckQuantization() {
    const std::string& wanted = fit_.selection.quantization;
    const auto& known = engine_.quantizations;
    const auto at = std::find_if(known.begin(), known.end(), [&](const ServedQuantization& each) {
      return each.name == wanted;
    });
    if (at == known.end()) {
      return Refuse(fmt::format("does not read weights quantised as {}", wanted));
    }
    if (!Holds(at->when, subject_)) {
      if (at->unpacked) {
        fit_.unpacked = true;
        remark_ = fmt::format("turns {} weights into 16 bit numbers here", wanted);
      } else {
        hardware_ = at->refusal;
      }
    }
    return CheckLoadQuantization();
  }

  bool CheckLoadQuantization() {
    const std::string& wish = wish_.quantization;
    if (wish.empty() || wish == "none" || !fit_.selection.variant.empty()) return true;
    const auto& known = engine_.load_quantizations;
    const auto at = std::find_if(known.begin(), known.end(),
                                 [&](const LoadQuantization& each) { return each.name == wish; });
    if (at == known.end()) return Refuse(fmt::format("cannot quantise to {}", wish));
    if (fit_.selection.quantization != "none") {
      return Refuse(
          fmt::format("the weights are quantised already, as {}", fit_.selection.quantization));
    }
    if (!Holds(at->when, subject_)) hardware_ = at->refusal;
    fit_.load_quantization = &*at;
    return true;
  }

  bool CheckCode() {
    if (!subject_.profile.requirements.remote_code || engine_.remote_code) return true;
    return Refuse("does not run a repository's own code, which this model needs");
  }

  void CheckMachine() {
    if (!engine_.os.empty() && !Contains(engine_.os, subject_.machine.os)) {
      Refuse(NeedsOs(engine_));
      return;
    }
    const bool gpu = engine_.gpu.empty() || Contains(engine_.gpu, GpuOf(subject_.machine));
    if (!gpu) hardware_ = NeedsGpu(engine_);
    if (!engine_.not_driven.empty()) {
      Refuse(gpu ? engine_.not_driven : hardware_);
      return;
    }
    fit_.served_on_os = true;
    fit_.usable = hardware_.empty();
    fit_.reason = fit_.usable ? remark_ : hardware_;
  }

  const Subject& subject_;
  const Wish& wish_;
  const EngineSpec& engine_;
  EngineFit fit_;
  std::string hardware_;  // what this machine lacks
  std::string remark_;
};

bool SameWeights(const EngineFit& fit, const Selection& selection) {
  return fit.selection.files == selection.files;
}

}  // namespace

std::vector<EngineFit> FitEngines(const Subject& subject, const Wish& wish,
                                  const std::vector<EngineSpec>& engines,
                                  const Selection& selection) {
  std::vector<EngineFit> fits;
  fits.reserve(engines.size());
  for (const EngineSpec& engine : engines) {
    const Subject about{.profile = subject.profile,
                        .facts = subject.facts,
                        .machine = subject.machine,
                        .engine = engine.id};
    fits.push_back(Fitter(about, wish, engine, selection).Fit());
  }
  return fits;
}

const EngineFit* ChooseEngine(const std::vector<EngineFit>& fits, const Wish& wish,
                              const Selection& selection) {
  const auto first = [&](auto&& wanted) -> const EngineFit* {
    const auto at = std::find_if(fits.begin(), fits.end(), wanted);
    return at == fits.end() ? nullptr : &*at;
  };
  if (!wish.engine.empty()) {
    return first(
        [&](const EngineFit& fit) { return fit.engine->id == wish.engine && fit.served_on_os; });
  }
  const EngineFit* best =
      first([&](const EngineFit& fit) { return fit.usable && SameWeights(fit, selection); });
  if (best == nullptr) best = first([](const EngineFit& fit) { return fit.usable; });
  if (best == nullptr) best = first([](const EngineFit& fit) { return fit.served_on_os; });
  return best;
}

const EngineFit* NearestEngine(const std::vector<EngineFit>& fits, const ModelProfile& profile) {
  const EngineFit* nearest = nullptr;
  for (const EngineFit& fit : fits) {
    if (!fit.engine->not_driven.empty() || !Reads(*fit.engine, fit.selection)) continue;
    if (fit.served != nullptr) return &fit;
    const auto& serves = fit.engine->serves;
    const bool kind = std::any_of(serves.begin(), serves.end(), [&](const ServedKind& served) {
      return served.kind == profile.kind;
    });
    if (kind && nearest == nullptr) nearest = &fit;
  }
  return nearest;
}

}  // namespace llmd::planner
