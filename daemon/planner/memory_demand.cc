#include "planner/memory_demand.h"

#include <algorithm>
#include <map>

#include "planner/saturating.h"

namespace llmd::planner {
namespace {

// Recurrent states are kept in float32 whatever the weights are.
constexpr int64_t kStateElementBytes = 4;
// Work on one request where the architecture is not known.
constexpr int64_t kUnknownWork = int64_t{512} << 20;

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

// Of what is computed and cached: weights that are packed are computed with in 16 bits.
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

MemoryDemand::MemoryDemand(const Subject& subject, const EngineFit& fit, bool on_gpu)
    : subject_(subject), fit_(fit), on_gpu_(on_gpu) {
  const auto& architecture = subject.facts.architecture;
  if (architecture && architecture->hidden_size > 0) architecture_ = &*architecture;
  const Selection& selection = fit.selection;
  const auto& headers = subject.facts.safetensors;
  int64_t on_disk = selection.bytes;
  if (headers && headers->whole && headers->weight_bytes > 0 && headers->files == selection.files) {
    on_disk = headers->weight_bytes;
    weights_from_headers_ = true;
  }
  weights_ = WeightsAsLoaded(on_disk);
  FindLargestPart();
}

int64_t MemoryDemand::WeightsAsLoaded(int64_t on_disk) const {
  const int64_t parameters = std::max<int64_t>(subject_.profile.parameters.value_or(0), 0);
  int64_t bytes = on_disk;
  if (fit_.load_quantization != nullptr && parameters > 0) {
    const int64_t kept = KeptParameters(parameters);
    bytes =
        Plus(Scale(parameters - kept, fit_.load_quantization->bytes_per_parameter), Times(kept, 2));
  } else if (fit_.unpacked) {
    bytes = parameters > 0 ? Times(parameters, 2) : Times(on_disk, 2);
  }
  return Scale(bytes, Widening() * fit_.engine->weights_factor);
}

double MemoryDemand::Widening() const {
  if (fit_.load_quantization != nullptr || fit_.unpacked) return 1;
  const std::string dtype = subject_.profile.dtype.value_or("");
  const bool half = dtype == "float16" || dtype == "bfloat16";
  const int on_disk = half ? 2 : (dtype == "float32" ? 4 : 0);
  if (on_disk == 0 || fit_.selection.quantization != "none") return 1;
  int in_memory = on_gpu_ ? fit_.engine->gpu_element_bytes : fit_.engine->cpu_element_bytes;
  if (fit_.served->widens_half && !on_gpu_ && dtype == "float16") in_memory = 4;
  return in_memory == 0 ? 1 : static_cast<double>(in_memory) / on_disk;
}

// Embeddings and the head stay as they are when a model is quantised while it is loaded.
int64_t MemoryDemand::KeptParameters(int64_t parameters) const {
  if (architecture_ == nullptr) return parameters / 10;
  const int64_t table = Times(architecture_->vocab_size, architecture_->hidden_size);
  return std::min(Times(table, 2), parameters);
}

void MemoryDemand::FindLargestPart() {
  largest_part_ = weights_;
  if (subject_.facts.components.empty()) return;
  std::map<std::string, int64_t> parts;
  for (const std::string& path : fit_.selection.files) {
    const FileEntry* file = subject_.facts.inventory.Find(path);
    if (file != nullptr) parts[path.substr(0, path.find('/'))] += file->size;
  }
  const auto largest = std::max_element(
      parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (largest == parts.end() || parts.size() < 2) return;
  largest_part_ = Scale(largest->second, Widening() * fit_.engine->weights_factor);
  largest_part_name_ = largest->first;
}

int64_t MemoryDemand::process() const { return fit_.engine->process_bytes; }

bool MemoryDemand::KeepsCache() const {
  return fit_.served->cache && architecture_ != nullptr && !architecture_->cache.empty();
}

int64_t MemoryDemand::Cache(int64_t context, int parallel) const {
  if (!KeepsCache()) return 0;
  return Times(CacheBytes(*architecture_, context, ElementBytes(subject_.profile)), parallel);
}

int64_t MemoryDemand::CachePerToken(int64_t context) const {
  if (!KeepsCache()) return 0;
  int64_t elements = 0;
  for (const LayerGroup& group : architecture_->cache) {
    if (Grows(group, context)) {
      elements = Plus(elements, Times(group.layers, group.elements_per_token));
    }
  }
  return Times(elements, ElementBytes(subject_.profile));
}

// The widest layer's values for the tokens that are computed at once, and their logits.
int64_t MemoryDemand::Work(int64_t context, int parallel) const {
  const EngineSpec& engine = *fit_.engine;
  if (fit_.served->activation_bytes > 0) return fit_.served->activation_bytes;
  if (architecture_ == nullptr) return kUnknownWork;
  int64_t tokens = Times(context, engine.batch);
  if (engine.batch_tokens > 0) tokens = std::min<int64_t>(tokens, engine.batch_tokens);
  const int64_t width =
      Plus(Times(2, architecture_->intermediate_size), Times(8, architecture_->hidden_size));
  const int64_t layers = Times(Times(tokens, width), ElementBytes(subject_.profile));
  if (!fit_.served->cache) return layers;
  const int64_t rows = engine.logits_for_batch ? tokens : parallel;
  return Plus(layers, Times(Times(rows, 4), architecture_->vocab_size));
}

int64_t MemoryDemand::Total(int64_t context, int parallel) const {
  return Plus(Plus(weights_, Cache(context, parallel)), Plus(Work(context, parallel), process()));
}

std::string MemoryDemand::architecture_source() const {
  return architecture_ == nullptr ? "" : architecture_->source;
}

}  // namespace llmd::planner
