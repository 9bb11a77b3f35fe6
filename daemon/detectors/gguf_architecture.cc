#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "detectors/layer_groups.h"
#include "detectors/probe_architecture.h"

namespace llmd::detectors {
namespace {

// How layers with a window and those without alternate, as llama.cpp's load_hparams knows it by
// architecture; a file need not say it. Others have windows in all layers or, as llama.cpp runs
// them (phi3, qwen2, llama), in none.
struct WindowPattern {
  std::string_view architecture;
  std::string_view pattern;  // repeated: S a window, F everything
  int64_t window = 0;        // where the file names none
};
constexpr std::array kWindowPatterns = {
    WindowPattern{"gemma2", "SF", 4096},
    WindowPattern{"gemma3", "SSSSSF"},
    WindowPattern{"gemma3n", "SSSSF"},
    WindowPattern{"gemma4", "SSSSSF"},
    WindowPattern{"gemma-embedding", "SSSSSF"},
    WindowPattern{"cohere2", "SSSF"},
    WindowPattern{"gpt-oss", "SF"},
    WindowPattern{"exaone4", "SSSF"},
    WindowPattern{"exaone-moe", "SSSF"},
    WindowPattern{"olmo2", "SSSF"},
    WindowPattern{"afmoe", "SSSF"},
    WindowPattern{"llama4", "SSSF", 8192},
    WindowPattern{"smallthinker", "FSSS", 4096},
    WindowPattern{"plamo3", "SSSSSSSF"},
    WindowPattern{"modern-bert", "SSF"},
};

// The keys of one file's architecture. Pure.
class GgufReader {
 public:
  explicit GgufReader(const GgufFacts& gguf, std::string name)
      : gguf_(gguf), name_(std::move(name)) {}

  std::optional<ArchitectureFacts> Read() {
    ReadSizes();
    if (facts_.layers <= 0 || facts_.layers > kMaxLayers) return std::nullopt;
    // Heads that differ by layer: those layers that have some attend, the others keep a state.
    const int64_t listed = Get("attention.head_count_kv.layers");
    const bool recurrent = Get("ssm.state_size") > 0;
    const int64_t attending = listed > 0 ? listed : (recurrent ? 0 : facts_.layers);
    // The last ones of Gemma 3n read what earlier ones keep.
    AddAttention(std::max<int64_t>(attending - Get("attention.shared_kv_layers"), 0));
    if (recurrent) AddStates(facts_.layers - attending);
    return std::move(facts_);
  }

 private:
  int64_t Get(std::string_view key) const {
    const auto at = gguf_.integers.find(name_ + "." + std::string(key));
    const bool sane = at != gguf_.integers.end() && at->second > 0 && at->second <= kMaxJsonSize;
    return sane ? at->second : 0;
  }

  void ReadSizes() {
    facts_ = {.source = gguf_.file,
              .layers = Get("block_count"),
              .hidden_size = Get("embedding_length"),
              .intermediate_size = Get("feed_forward_length"),
              .attention_heads = Get("attention.head_count"),
              .key_value_heads = Get("attention.head_count_kv"),
              .head_dim = Get("attention.key_length"),
              .vocab_size = Get("vocab_size"),
              .context_length = Get("context_length"),
              .experts = Get("expert_count"),
              .experts_per_token = Get("expert_used_count")};
    const auto tokens = gguf_.array_sizes.find("tokenizer.ggml.tokens");
    if (facts_.vocab_size == 0 && tokens != gguf_.array_sizes.end()) {
      facts_.vocab_size = tokens->second;
    }
    if (facts_.key_value_heads == 0) facts_.key_value_heads = facts_.attention_heads;
    if (facts_.head_dim == 0 && facts_.attention_heads > 0) {
      facts_.head_dim = facts_.hidden_size / facts_.attention_heads;
    }
  }

  void AddAttention(int64_t layers) {
    using Kind = LayerGroup::Kind;
    if (const int64_t latent = Get("attention.kv_lora_rank"); latent > 0) {
      AddGroup(facts_, {.kind = Kind::kLatent,
                        .layers = layers,
                        .elements_per_token = latent + Get("rope.dimension_count")});
      return;
    }
    const int64_t value = Get("attention.value_length");
    const int64_t width = facts_.head_dim + (value > 0 ? value : facts_.head_dim);
    const int64_t elements = Product(facts_.key_value_heads, width);
    const auto [sliding, window] = Sliding(layers);
    AddGroup(facts_, {.layers = layers - sliding, .elements_per_token = elements});
    AddGroup(facts_, {.kind = Kind::kSliding,
                      .layers = sliding,
                      .elements_per_token = elements,
                      .window = window});
  }

  struct Windows {
    int64_t layers = 0;
    int64_t tokens = 0;
  };
  // How many of `layers` keep a window only.
  Windows Sliding(int64_t layers) const {
    int64_t window = Get("attention.sliding_window");
    // A list of one truth for each layer: how many are true.
    if (const int64_t listed = Get("attention.sliding_window_pattern.layers"); listed > 0) {
      return window > 0 ? Windows{std::min(listed, layers), window} : Windows{};
    }
    const auto* known =
        std::find_if(kWindowPatterns.begin(), kWindowPatterns.end(),
                     [&](const WindowPattern& each) { return each.architecture == name_; });
    if (known == kWindowPatterns.end()) return {};
    if (window == 0) window = known->window;
    if (window == 0) return {};
    std::string pattern(known->pattern);
    const int64_t period = Get("attention.sliding_window_pattern");
    if (period > 1 && period <= kMaxLayers) {
      const bool full_first = pattern.front() == 'F';
      pattern.assign(static_cast<size_t>(period), 'S');
      (full_first ? pattern.front() : pattern.back()) = 'F';
    }
    return {CountKind(pattern, 'S', layers), window};
  }

  void AddStates(int64_t layers) {
    const int64_t inner = Get("ssm.inner_size");
    AddGroup(facts_, {.kind = LayerGroup::Kind::kRecurrent,
                      .layers = layers,
                      .state_elements = Product(inner, Get("ssm.state_size")) +
                                        Product(inner, Get("ssm.conv_kernel"))});
  }

  const GgufFacts& gguf_;
  const std::string name_;
  ArchitectureFacts facts_;
};

}  // namespace

std::optional<ArchitectureFacts> ArchitectureOf(const GgufFacts& gguf) {
  const auto name = gguf.strings.find("general.architecture");
  if (name == gguf.strings.end()) return std::nullopt;
  return GgufReader(gguf, name->second).Read();
}

}  // namespace llmd::detectors
