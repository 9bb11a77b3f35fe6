// Which engines can serve a model, and why the others cannot. Pure.
#pragma once

#include <string>
#include <vector>

#include "domain/plan.h"
#include "domain/specs.h"
#include "planner/selection.h"
#include "planner/subject.h"

namespace llmd::planner {

struct EngineFit {
  const EngineSpec* engine = nullptr;
  const ServedKind* served = nullptr;                   // null: not this kind of model
  Selection selection;                                  // the weights that this engine would use
  const LoadQuantization* load_quantization = nullptr;  // as wished
  bool unpacked = false;      // packed weights are loaded as 16 bit numbers
  bool served_on_os = false;  // it serves such models on this operating system
  bool usable = false;        // and on this machine
  std::string reason;         // why not; for a usable one a remark, mostly empty
};

// Every engine, in the order given. `selection` is what the wish names.
std::vector<EngineFit> FitEngines(const Subject& subject, const Wish& wish,
                                  const std::vector<EngineSpec>& engines,
                                  const Selection& selection);

// The one to use: the wished one, else the first usable one that reads the selected weights, else
// the first usable one, else the first that serves the model on this operating system. nullptr when
// none does.
const EngineFit* ChooseEngine(const std::vector<EngineFit>& fits, const Wish& wish,
                              const Selection& selection);

// For a model that no engine serves: of those that llmd runs and that read its weights, the first
// that loads such models, else the first that serves their kind by other loaders. nullptr: none.
const EngineFit* NearestEngine(const std::vector<EngineFit>& fits, const ModelProfile& profile);

}  // namespace llmd::planner
