#include "planner/memory.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "base/format.h"

namespace llmd::planner {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;
constexpr int64_t kMost = int64_t{1} << 62;
// The CUDA context of a process, on each GPU.
constexpr int64_t kGpuContextBytes = 500 * kMiB;
// Recurrent states are kept in float32 whatever the weights are.
constexpr int64_t kStateElementBytes = 4;
// Kept free for the system and everybody else, at most.
constexpr int64_t kSystemReserve = 1024 * kMiB;
// Work on one request where the architecture is not known.
constexpr int64_t kUnknownActivation = 512 * kMiB;

// Of numbers that are not negative.
int64_t Times(int64_t a, int64_t b) { return a != 0 && b > kMost / a ? kMost : a * b; }

int64_t Plus(int64_t a, int64_t b) { return a > kMost - b ? kMost : a + b; }

int64_t Scale(int64_t bytes, double factor) {
  const double scaled = static_cast<double>(bytes) * factor;
  return scaled >= static_cast<double>(kMost) ? kMost : static_cast<int64_t>(std::llround(scaled));
}

int64_t TokensKept(const LayerGroup& group, int64_t context) {
  if (group.kind == LayerGroup::Kind::kCross) return group.window > 0 ? group.window : context;
  return group.window > 0 ? std::min(group.window, context) : context;
}

// Whether one more token takes more memory at this context.
bool Grows(const LayerGroup& group, int64_t context) {
  using Kind = LayerGroup::Kind;
  if (group.kind == Kind::kRecurrent || group.kind == Kind::kCross) return false;
  return group.window == 0 || group.window > context;
}

int64_t ElementBytes(const ModelProfile& profile) {
  return profile.dtype == "float32" || profile.dtype == "float64" ? 4 : 2;
}

}  // namespace

int64_t CacheBytes(const ArchitectureFacts& architecture, int64_t context,
                   int64_t bytes_per_element) {
  int64_t total = 0;
  for (const LayerGroup& group : architecture.cache) {
    int64_t bytes = 0;
    if (group.kind == LayerGroup::Kind::kRecurrent) {
      bytes = Times(Times(group.layers, group.state_elements), kStateElementBytes);
    } else {
      bytes = Times(Times(group.layers, group.elements_per_token),
                    Times(TokensKept(group, context), bytes_per_element));
    }
    total = Plus(total, bytes);
  }
  return total;
}

namespace {

// Memory that a process may fill: its size and what is free of it now.
struct Room {
  int64_t total = 0;
  int64_t available = 0;
  std::string name;
};

Room MainMemory(const MachineFacts& machine) {
  const int64_t reserve = std::min(kSystemReserve, machine.memory_bytes / 8);
  return {.total = std::max<int64_t>(machine.memory_bytes - reserve, 0),
          .available = machine.memory_available_bytes,
          .name = "memory"};
}

Room UnifiedMemory(const MachineFacts& machine) {
  // What Metal lets a process wire down; the rest is the system's.
  return {.total = machine.memory_bytes / 4 * 3,
          .available = machine.memory_available_bytes,
          .name = "unified memory"};
}

class Estimator {
 public:
  Estimator(const Subject& subject, const Wish& wish, const EngineFit& fit)
      : subject_(subject), wish_(wish), fit_(fit), engine_(*fit.engine) {
    if (subject.facts.architecture) architecture_ = &*subject.facts.architecture;
  }

  MemoryEstimate Estimate() {
    EstimateWeights();
    result_.process_bytes = engine_.process_bytes;
    ChooseRoom();
    ChooseContext();
    FillIn(result_.context, result_.parallel);
    Judge();
    Explain();
    return std::move(result_);
  }

 private:
  bool HasCache() const { return architecture_ != nullptr && !architecture_->cache.empty(); }

  void EstimateWeights() {
    const Selection& selection = fit_.selection;
    const auto& headers = subject_.facts.safetensors;
    result_.weights_bytes = selection.bytes;
    if (headers && headers->files == selection.files && headers->weight_bytes > 0) {
      result_.weights_bytes = headers->weight_bytes;
      from_headers_ = true;
    }
    const int64_t parameters = subject_.profile.parameters.value_or(0);
    if (fit_.load_quantization != nullptr && parameters > 0) {
      const double bytes = fit_.load_quantization->bytes_per_parameter;
      const int64_t kept = KeptParameters(parameters);
      result_.weights_bytes = Plus(Scale(parameters - kept, bytes), Times(kept, 2));
    } else if (fit_.unpacked) {
      result_.weights_bytes = Times(parameters > 0 ? parameters : result_.weights_bytes, 2);
    }
    result_.weights_bytes = Scale(result_.weights_bytes, engine_.weights_factor);
  }

  // Embeddings and the head stay as they are when a model is quantised on load.
  int64_t KeptParameters(int64_t parameters) const {
    if (architecture_ == nullptr) return parameters / 10;
    const int64_t table = Times(architecture_->vocab_size, architecture_->hidden_size);
    return std::min(Times(table, 2), parameters);
  }

  int64_t Activation(int64_t context, int parallel) const {
    if (fit_.served->activation_bytes > 0) return fit_.served->activation_bytes;
    if (architecture_ == nullptr || architecture_->hidden_size == 0) return kUnknownActivation;
    const int64_t tokens =
        engine_.batch_tokens > 0 ? std::min<int64_t>(engine_.batch_tokens, context) : context;
    const int64_t width =
        Plus(Times(2, architecture_->intermediate_size), Times(8, architecture_->hidden_size));
    const int64_t layers = Times(Times(tokens, width), ElementBytes(subject_.profile));
    const int64_t logits =
        Times(Times(engine_.logits_for_batch ? tokens : parallel, 4), architecture_->vocab_size);
    return Plus(layers, logits);
  }

  int64_t Cache(int64_t context, int parallel) const {
    if (!HasCache()) return 0;
    return Times(CacheBytes(*architecture_, context, ElementBytes(subject_.profile)), parallel);
  }

  int64_t Needed(int64_t context, int parallel) const {
    return Plus(Plus(result_.weights_bytes, Cache(context, parallel)),
                Plus(Activation(context, parallel), result_.process_bytes));
  }

  void ChooseRoom() {
    const MachineFacts& machine = subject_.machine;
    const auto& places = engine_.weights_on_gpu;
    const std::string_view gpu = GpuOf(machine);
    if (gpu == "none" || std::find(places.begin(), places.end(), gpu) == places.end()) {
      room_ = MainMemory(machine);
      return;
    }
    if (gpu == "metal") {
      room_ = UnifiedMemory(machine);
      return;
    }
    const Room gpus = NvidiaMemory();
    result_.on_gpu = Needed(1, 1) <= gpus.total || !engine_.gpu.empty();
    room_ = result_.on_gpu ? gpus : MainMemory(machine);
  }

  // One GPU where one is enough, else all of them together.
  Room NvidiaMemory() const {
    Room largest;
    Room all{.name = "memory of all GPUs"};
    for (const GpuFacts& gpu : subject_.machine.gpus) {
      if (gpu.vendor != "nvidia") continue;
      const int64_t bytes = std::max<int64_t>(gpu.memory_bytes - kGpuContextBytes, 0);
      all.total += bytes;
      if (bytes > largest.total) largest = {.total = bytes, .available = bytes, .name = gpu.name};
    }
    all.available = all.total;
    return Needed(1, 1) <= largest.total ? largest : all;
  }

  // The model's, the engine's usual one, the largest that fits: the smallest of the three.
  void ChooseContext() {
    const int64_t model = subject_.profile.context_length.value_or(0);
    result_.parallel = std::max(engine_.default_parallel, 1);
    if (wish_.context > 0) {
      result_.context = wish_.context;
    } else if (model > 0) {
      result_.context = std::min<int64_t>(model, engine_.default_context);
    } else if (HasCache()) {
      result_.context = engine_.default_context;
    }
    if (result_.context == 0) return;
    // Fewer at once rather than not at all.
    while (result_.parallel > 1 && Needed(result_.context, result_.parallel) > room_.total) {
      result_.parallel /= 2;
    }
    result_.largest_context =
        LargestContext(model > 0 ? model : std::max<int64_t>(result_.context, 1));
    if (wish_.context == 0 && result_.largest_context > 0) {
      result_.context = std::min(result_.context, result_.largest_context);
    }
  }

  // Of one sequence. Needed() grows with the context, so halving finds it.
  int64_t LargestContext(int64_t most) const {
    if (Needed(1, 1) > room_.total) return 0;
    int64_t fits = 1;
    int64_t too_large = Plus(most, 1);
    while (too_large - fits > 1) {
      const int64_t middle = fits + (too_large - fits) / 2;
      (Needed(middle, 1) <= room_.total ? fits : too_large) = middle;
    }
    return fits;
  }

  void FillIn(int64_t context, int parallel) {
    if (HasCache()) {
      for (const LayerGroup& group : architecture_->cache) {
        if (!Grows(group, context)) continue;
        result_.kv_bytes_per_token = Plus(
            result_.kv_bytes_per_token,
            Times(Times(group.layers, group.elements_per_token), ElementBytes(subject_.profile)));
      }
    }
    result_.kv_bytes = Cache(context, parallel);
    result_.activation_bytes = Activation(context, parallel);
    result_.required_bytes = Needed(context, parallel);
    result_.host_bytes = result_.on_gpu ? result_.process_bytes : result_.required_bytes;
  }

  void Judge() {
    const int64_t needed = result_.required_bytes;
    if (needed > room_.total) {
      result_.fits = "no";
      result_.refusal = fmt::format(
          "needs about {} of {}, and {} can be used here ({} of weights, {} of cache for {} "
          "tokens)",
          FormatBytes(needed), room_.name, FormatBytes(room_.total),
          FormatBytes(result_.weights_bytes), FormatBytes(result_.kv_bytes), result_.context);
      if (wish_.context > result_.largest_context && result_.largest_context > 0) {
        result_.refusal += fmt::format("; {} tokens of context would fit", result_.largest_context);
      }
    } else if (needed > room_.total / 10 * 8 || needed > room_.available) {
      result_.fits = "tight";
    } else {
      result_.fits = "yes";
    }
  }

  void Explain() {
    result_.basis.push_back(fmt::format(
        "weights: {} from {}", FormatBytes(result_.weights_bytes),
        from_headers_ ? "the headers of the weight files" : "the sizes of the weight files"));
    if (HasCache()) {
      result_.basis.push_back(fmt::format("cache: {} for {} x {} tokens, from {}",
                                          FormatBytes(result_.kv_bytes), result_.parallel,
                                          result_.context, architecture_->source));
    }
    result_.basis.push_back(fmt::format(
        "work on requests: about {}, {}; the process itself: about {}, measured",
        FormatBytes(result_.activation_bytes),
        architecture_ == nullptr ? "a guess, as the architecture is not known" : "estimated",
        FormatBytes(result_.process_bytes)));
  }

  const Subject& subject_;
  const Wish& wish_;
  const EngineFit& fit_;
  const EngineSpec& engine_;
  const ArchitectureFacts* architecture_ = nullptr;
  Room room_;
  bool from_headers_ = false;
  MemoryEstimate result_;
};

}  // namespace

MemoryEstimate EstimateMemory(const Subject& subject, const Wish& wish, const EngineFit& fit) {
  return Estimator(subject, wish, fit).Estimate();
}

}  // namespace llmd::planner
