#include "planner/memory.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/format.h"
#include "planner/memory_demand.h"
#include "planner/memory_place.h"
#include "planner/saturating.h"

namespace llmd::planner {
namespace {

class Estimator {
 public:
  Estimator(const Subject& subject, const Wish& wish, const EngineFit& fit)
      : subject_(subject),
        wish_(wish),
        engine_(*fit.engine),
        on_gpu_(subject, fit, true),
        off_gpu_(subject, fit, false) {}

  MemoryEstimate Estimate() {
    ChoosePlace();
    ChooseContext();
    FillIn();
    Judge();
    Explain();
    return std::move(result_);
  }

 private:
  // The first place where the model would run at all; where there is none, the last one tells why.
  void ChoosePlace() {
    const std::vector<Place> places = FindPlaces(engine_, subject_.machine);
    const int64_t least = std::max<int64_t>(wish_.context, 1);
    const auto at = std::find_if(places.begin(), places.end(), [&](const Place& place) {
      return place.Fits(DemandAt(place), least, 1);
    });
    place_ = at == places.end() ? places.back() : *at;
    demand_ = &DemandAt(place_);
  }

  const MemoryDemand& DemandAt(const Place& place) const {
    return place.on_gpu ? on_gpu_ : off_gpu_;
  }

  // The model's, the engine's usual one, the largest that fits: the smallest of the three.
  void ChooseContext() {
    const int64_t model = std::max<int64_t>(subject_.profile.context_length.value_or(0), 0);
    result_.parallel = std::max(engine_.default_parallel, 1);
    if (wish_.context > 0) {
      result_.context = wish_.context;
    } else if (model > 0) {
      result_.context = std::min<int64_t>(model, engine_.default_context);
    } else if (demand_->KeepsCache()) {
      result_.context = engine_.default_context;
    }
    if (result_.context == 0) return;
    // Fewer at once rather than not at all.
    while (result_.parallel > 1 && !place_.Fits(*demand_, result_.context, result_.parallel)) {
      result_.parallel /= 2;
    }
    result_.largest_context = LargestContext(model > 0 ? model : result_.context);
    if (wish_.context == 0 && result_.largest_context > 0) {
      result_.context = std::min(result_.context, result_.largest_context);
    }
  }

  // Of one sequence. The demand grows with the context, so halving finds it.
  int64_t LargestContext(int64_t most) const {
    if (!place_.Fits(*demand_, 1, 1)) return 0;
    int64_t fits = 1;
    int64_t too_large = Plus(most, 1);
    while (too_large - fits > 1) {
      const int64_t middle = fits + (too_large - fits) / 2;
      (place_.Fits(*demand_, middle, 1) ? fits : too_large) = middle;
    }
    return fits;
  }

  void FillIn() {
    const int64_t context = result_.context;
    const int parallel = result_.parallel;
    result_.weights_bytes = demand_->weights();
    result_.kv_bytes_per_token = demand_->CachePerToken(context);
    result_.kv_bytes = demand_->Cache(context, parallel);
    result_.work_bytes = demand_->Work(context, parallel);
    result_.process_bytes = demand_->process();
    result_.required_bytes = demand_->Total(context, parallel);
    result_.device_bytes = place_.DeviceNeed(*demand_, context, parallel);
    result_.host_bytes = place_.HostNeed(*demand_, context, parallel);
    result_.on_gpu = place_.on_gpu;
    result_.offload = place_.offload;
  }

  void Judge() {
    const bool device = result_.device_bytes <= place_.device.total;
    if (!device || result_.host_bytes > place_.host.total) {
      result_.fits = "no";
      Refuse(device ? result_.host_bytes : result_.device_bytes,
             device ? place_.host : place_.device);
      return;
    }
    const auto narrow = [](int64_t bytes, const Room& room) {
      return bytes > room.total / 10 * 8 || bytes > room.available;
    };
    const bool tight =
        narrow(result_.device_bytes, place_.device) || narrow(result_.host_bytes, place_.host);
    result_.fits = tight ? "tight" : "yes";
  }

  void Refuse(int64_t needed, const Room& room) {
    result_.refusal = fmt::format("needs about {} of {}, and {} can be used here: {} for weights",
                                  FormatBytes(needed), room.name, FormatBytes(room.total),
                                  FormatBytes(result_.weights_bytes));
    if (result_.kv_bytes > 0) {
      result_.refusal += fmt::format(", {} for the cache of {} tokens",
                                     FormatBytes(result_.kv_bytes), result_.context);
    }
    if (result_.largest_context > 0) {
      result_.refusal += fmt::format("; {} tokens of context would fit", result_.largest_context);
    }
  }

  void Explain() {
    std::vector<std::string>& basis = result_.basis;
    basis.push_back(fmt::format("weights: {}, from the {} of the weight files",
                                FormatBytes(result_.weights_bytes),
                                demand_->weights_from_headers() ? "headers" : "sizes"));
    if (result_.kv_bytes > 0) {
      basis.push_back(fmt::format("cache: {} for {} x {} tokens, from {}",
                                  FormatBytes(result_.kv_bytes), result_.parallel, result_.context,
                                  demand_->architecture_source()));
    }
    basis.push_back(fmt::format("work on requests: about {}, {}", FormatBytes(result_.work_bytes),
                                demand_->architecture_source().empty()
                                    ? "the usual figure for such models"
                                    : "from the widths of its layers"));
    basis.push_back(
        fmt::format("the process itself: about {}, measured", FormatBytes(result_.process_bytes)));
    if (result_.largest_context > 0) {
      basis.push_back(fmt::format("context: {} of {} tokens that would fit in {}", result_.context,
                                  result_.largest_context, place_.device.name));
    }
    if (!demand_->largest_part_name().empty()) ExplainParts();
  }

  // As they would be on a GPU, wherever it runs now: in main memory they may be wider.
  void ExplainParts() {
    const int64_t work = on_gpu_.Work(result_.context, result_.parallel);
    result_.basis.push_back(fmt::format("largest part: {}, {}", on_gpu_.largest_part_name(),
                                        FormatBytes(on_gpu_.largest_part())));
    result_.basis.push_back(
        fmt::format("on a GPU: about {} with all parts there, about {} with one at a time",
                    FormatBytes(Plus(on_gpu_.weights(), work)),
                    FormatBytes(Plus(on_gpu_.largest_part(), work))));
  }

  const Subject& subject_;
  const Wish& wish_;
  const EngineSpec& engine_;
  const MemoryDemand on_gpu_;
  const MemoryDemand off_gpu_;
  const MemoryDemand* demand_ = nullptr;  // at the chosen place
  Place place_;
  MemoryEstimate result_;
};

}  // namespace

MemoryEstimate EstimateMemory(const Subject& subject, const Wish& wish, const EngineFit& fit) {
  return Estimator(subject, wish, fit).Estimate();
}

}  // namespace llmd::planner
