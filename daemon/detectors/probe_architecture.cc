#include "detectors/probe_architecture.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "domain/json_path.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

constexpr int64_t kMaxLayers = 1 << 16;

int64_t Product(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) || result > kMaxJsonSize ? kMaxJsonSize : result;
}

// Adds `layers` of a group, joining it with an equal one.
void AddGroup(ArchitectureFacts& facts, LayerGroup group) {
  if (group.layers <= 0) return;
  for (LayerGroup& known : facts.cache) {
    if (known.kind == group.kind && known.elements_per_token == group.elements_per_token &&
        known.window == group.window && known.state_elements == group.state_elements) {
      known.layers += group.layers;
      return;
    }
  }
  facts.cache.push_back(group);
}

// Reads one configuration, see ArchitectureOf.
class ConfigReader {
 public:
  ConfigReader(const ModelConfig& config, const Tables& tables) : config_(config) {
    std::string type = JsonText(config.text, "model_type");
    if (type.empty()) type = config.model_type;
    const auto at = tables.types.find(type);
    if (at != tables.types.end()) defaults_ = &at->second;
    facts_.context_length = ContextLength(config, tables).value_or(0);
  }

  std::optional<ArchitectureFacts> Read() {
    facts_.source =
        config_.text_path.empty() ? config_.file : config_.file + ": " + config_.text_path;
    facts_.encoder_decoder = JsonBool(config_.root, "is_encoder_decoder").value_or(false);
    ReadSizes();
    if (facts_.layers <= 0 || facts_.layers > kMaxLayers || facts_.hidden_size <= 0) {
      return std::nullopt;
    }
    if (!FromLayerTypes() && !FromPattern() && !FromPeriod() && !FromBlocks()) {
      AddAttention(DefaultKind(), facts_.layers);
      SplitBySlidingPattern();
    }
    if (facts_.encoder_decoder) AddCrossAttention();
    return std::move(facts_);
  }

 private:
  int64_t Get(std::initializer_list<std::string_view> keys, int64_t otherwise = 0) const {
    for (const std::string_view key : keys) {
      if (const auto size = JsonSize(config_.text, key); size && *size > 0) return *size;
    }
    return otherwise;
  }
  int64_t Default(int64_t ModelType::*field) const {
    return defaults_ == nullptr ? 0 : defaults_->*field;
  }

  void ReadSizes() {
    facts_.hidden_size =
        Get({"hidden_size", "d_model", "n_embd", "dim"}, Default(&ModelType::hidden));
    facts_.layers = facts_.encoder_decoder
                        ? Get({"decoder_layers", "num_decoder_layers", "decoder_num_hidden_layers",
                               "num_hidden_layers", "num_layers"},
                              Default(&ModelType::layers))
                        : Get({"num_hidden_layers", "n_layer", "num_layers", "n_layers"},
                              Default(&ModelType::layers));
    if (facts_.encoder_decoder) {
      facts_.encoder_layers =
          Get({"encoder_layers", "num_layers", "encoder_num_hidden_layers", "num_hidden_layers"},
              facts_.layers);
    }
    facts_.attention_heads =
        Get({"num_attention_heads", "n_head", "num_heads", "decoder_attention_heads", "n_heads"},
            Default(&ModelType::heads));
    facts_.key_value_heads = KeyValueHeads();
    facts_.head_dim = Get({"head_dim", "attention_head_dim", "kv_channels", "d_kv"});
    if (facts_.head_dim == 0 && facts_.attention_heads > 0) {
      facts_.head_dim = facts_.hidden_size / facts_.attention_heads;
    }
    facts_.intermediate_size =
        Get({"intermediate_size", "ffn_dim", "d_ff", "n_inner", "ffn_hidden_size", "hidden_dim"});
    facts_.vocab_size =
        Get({"vocab_size", "padded_vocab_size", "embedding_size"}, Default(&ModelType::vocab));
    facts_.experts =
        Get({"num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"});
    facts_.experts_per_token =
        Get({"num_experts_per_tok", "top_k_experts", "moe_topk", "num_experts_per_token"});
  }

  int64_t KeyValueHeads() const {
    if (JsonBool(config_.text, "multi_query") == true &&
        JsonBool(config_.text, "new_decoder_architecture") != true) {
      return 1;
    }
    const int64_t said = Get({"num_key_value_heads", "num_kv_heads", "n_head_kv", "n_kv_heads",
                              "multi_query_group_num"});
    if (said > 0) return said;
    // A default of the library counts only where the heads are the library's, too.
    const bool plain = Get({"num_attention_heads", "n_head", "num_heads", "decoder_attention_heads",
                            "n_heads"}) > 0;
    const int64_t otherwise = plain ? 0 : Default(&ModelType::kv_heads);
    return otherwise > 0 ? otherwise : facts_.attention_heads;
  }

  LayerGroup::Kind DefaultKind() const {
    using Kind = LayerGroup::Kind;
    if (Get({"kv_lora_rank"}) > 0) return Kind::kLatent;
    const bool recurrent = facts_.attention_heads == 0 ||
                           JsonMember(config_.text, "ssm_cfg") != nullptr ||
                           JsonMember(config_.text, "rescale_every") != nullptr;
    if (recurrent || IsMambaType()) return Kind::kRecurrent;
    const bool sliding =
        Get({"sliding_window"}) > 0 && JsonBool(config_.text, "use_sliding_window") != false;
    return sliding ? Kind::kSliding : Kind::kFull;
  }

  bool IsMambaType() const {
    const std::string type = JsonText(config_.text, "model_type");
    return type == "mamba" || type == "mamba2" || type == "falcon_mamba" || type == "xlstm";
  }

  void AddAttention(LayerGroup::Kind kind, int64_t layers) {
    using Kind = LayerGroup::Kind;
    LayerGroup group{.kind = kind, .layers = layers};
    if (kind == Kind::kRecurrent) {
      group.state_elements = StateElements();
    } else if (kind == Kind::kLatent) {
      group.elements_per_token = Get({"kv_lora_rank"}) + Get({"qk_rope_head_dim"});
    } else {
      const int64_t heads = kind == Kind::kFull
                                ? Get({"num_global_key_value_heads"}, facts_.key_value_heads)
                                : facts_.key_value_heads;
      const int64_t width =
          kind == Kind::kFull ? Get({"global_head_dim"}, facts_.head_dim) : facts_.head_dim;
      const int64_t value_width = Get({"v_head_dim"}, width);
      group.elements_per_token = Product(heads, width + value_width);
      if (kind == Kind::kSliding) {
        group.window = Get(
            {"sliding_window", "attention_chunk_size", "local_attention", "attention_window_size"});
      }
      if (kind == Kind::kSliding && group.window == 0) group.kind = Kind::kFull;
    }
    AddGroup(facts_, group);
  }

  // What one sequence keeps in one layer without attention: the state and the convolution's tail.
  int64_t StateElements() const {
    const int64_t expand = Get({"expand", "mamba_expand"}, 2);
    const int64_t heads = Get({"mamba_num_heads", "mamba_n_heads", "linear_num_value_heads"});
    const int64_t width = Get({"mamba_head_dim", "mamba_d_head", "linear_value_head_dim"});
    int64_t inner =
        heads > 0 && width > 0 ? Product(heads, width) : Product(expand, facts_.hidden_size);
    inner = Get({"mamba_d_ssm", "mamba_intermediate_size"}, inner);
    const int64_t state = Get({"ssm_state_size", "state_size", "mamba_d_state", "mamba_state_dim",
                               "linear_key_head_dim"});
    const int64_t kernel = Get({"conv_kernel", "mamba_d_conv", "conv_L_cache",
                                "linear_conv_kernel_dim", "conv_kernel_size"});
    if (state == 0 && kernel > 0) return Product(kernel, facts_.hidden_size);  // convolution alone
    if (state == 0) return Product(5, facts_.hidden_size);                     // RWKV: five vectors
    const int64_t groups = Get({"n_groups", "mamba_n_groups", "linear_num_key_heads"});
    return Product(inner, state) + Product(kernel, inner + Product(2 * groups, state));
  }

  // "layer_types": ["full_attention", "sliding_attention", "mamba", "conv", ...]
  bool FromLayerTypes() {
    const json* types = JsonMember(config_.text, "layer_types");
    if (types == nullptr || !types->is_array() || types->empty()) return false;
    if (static_cast<int64_t>(types->size()) > kMaxLayers) return false;
    for (const json& type : *types) {
      if (type.is_string()) AddAttention(KindOf(type.get_ref<const std::string&>()), 1);
    }
    return !facts_.cache.empty();
  }

  LayerGroup::Kind KindOf(std::string_view type) const {
    using Kind = LayerGroup::Kind;
    if (type.find("sliding") != type.npos || type.find("chunked") != type.npos ||
        type.find("local") != type.npos) {
      return Kind::kSliding;
    }
    const bool attends =
        type == "attention" || type.find("full") != type.npos || type.find("global") != type.npos;
    if (!attends) return Kind::kRecurrent;
    return Get({"kv_lora_rank"}) > 0 ? Kind::kLatent : Kind::kFull;
  }

  // Nemotron-H: "M-M*-": M is Mamba, * attention, - and E keep nothing.
  bool FromPattern() {
    const std::string pattern = JsonText(config_.text, "hybrid_override_pattern");
    if (pattern.empty() || pattern.size() > static_cast<size_t>(kMaxLayers)) return false;
    AddAttention(LayerGroup::Kind::kRecurrent, std::count(pattern.begin(), pattern.end(), 'M'));
    AddAttention(LayerGroup::Kind::kFull, std::count(pattern.begin(), pattern.end(), '*'));
    return true;
  }

  // Jamba: attention in every n-th layer, Mamba in the others.
  bool FromPeriod() {
    const int64_t period = Get({"attn_layer_period", "full_attention_interval"});
    const json* kernels = JsonMember(config_.text, "mamba_d_state");
    const bool linear = Get({"linear_num_value_heads"}) > 0;
    if (period <= 1 || (kernels == nullptr && !linear)) return false;
    const int64_t attention = facts_.layers / period;
    AddAttention(LayerGroup::Kind::kFull, attention);
    AddAttention(LayerGroup::Kind::kRecurrent, facts_.layers - attention);
    return true;
  }

  // Pruned Llamas: "block_configs": [{"attention": {"n_heads_in_group": 8, "no_op": false}}]
  bool FromBlocks() {
    const json* blocks = JsonMember(config_.text, "block_configs");
    if (blocks == nullptr || !blocks->is_array() || blocks->empty()) return false;
    if (static_cast<int64_t>(blocks->size()) > kMaxLayers) return false;
    for (const json& block : *blocks) {
      const json* attention = JsonMember(&block, "attention");
      const int64_t group = JsonSize(attention, "n_heads_in_group").value_or(0);
      if (group == 0 || JsonBool(attention, "no_op") == true) continue;
      const int64_t heads = std::max<int64_t>(facts_.attention_heads / group, 1);
      AddGroup(facts_, {.layers = 1, .elements_per_token = Product(2 * heads, facts_.head_dim)});
    }
    return true;
  }

  // Gemma 2 and 3, Cohere 2: every n-th layer attends to everything, the others to a window.
  void SplitBySlidingPattern() {
    const int64_t pattern = Get({"sliding_window_pattern", "global_attn_every_n_layers"},
                                JsonText(config_.text, "model_type") == "gemma2" ? 2 : 0);
    const int64_t window = Get({"sliding_window", "local_attention"});
    if (pattern <= 1 || window == 0) return;
    facts_.cache.clear();
    const int64_t full = facts_.layers / pattern;
    AddAttention(LayerGroup::Kind::kFull, full);
    AddAttention(LayerGroup::Kind::kSliding, facts_.layers - full);
  }

  void AddCrossAttention() {
    AddGroup(facts_,
             {.kind = LayerGroup::Kind::kCross,
              .layers = facts_.layers,
              .elements_per_token = Product(2 * facts_.key_value_heads, facts_.head_dim),
              .window = Get({"max_source_positions", "max_position_embeddings", "n_positions"})});
  }

  const ModelConfig& config_;
  const ModelType* defaults_ = nullptr;
  ArchitectureFacts facts_;
};

}  // namespace

std::optional<ArchitectureFacts> ArchitectureOf(const ModelConfig& config, const Tables& tables) {
  if (config.root == nullptr) return std::nullopt;
  return ConfigReader(config, tables).Read();
}

std::optional<ArchitectureFacts> ArchitectureOf(const GgufFacts& gguf) {
  const auto name = gguf.strings.find("general.architecture");
  if (name == gguf.strings.end()) return std::nullopt;
  const auto get = [&](std::string_view key) -> int64_t {
    const auto at = gguf.integers.find(name->second + "." + std::string(key));
    return at == gguf.integers.end() || at->second < 0 || at->second > kMaxJsonSize ? 0
                                                                                    : at->second;
  };
  ArchitectureFacts facts{.source = gguf.file,
                          .layers = get("block_count"),
                          .hidden_size = get("embedding_length"),
                          .intermediate_size = get("feed_forward_length"),
                          .attention_heads = get("attention.head_count"),
                          .key_value_heads = get("attention.head_count_kv"),
                          .vocab_size = get("vocab_size"),
                          .context_length = get("context_length"),
                          .experts = get("expert_count"),
                          .experts_per_token = get("expert_used_count")};
  if (facts.layers <= 0 || facts.layers > kMaxLayers) return std::nullopt;
  const auto tokens = gguf.array_sizes.find("tokenizer.ggml.tokens");
  if (facts.vocab_size == 0 && tokens != gguf.array_sizes.end()) facts.vocab_size = tokens->second;
  if (facts.key_value_heads == 0) facts.key_value_heads = facts.attention_heads;
  facts.head_dim = get("attention.key_length");
  if (facts.head_dim == 0 && facts.attention_heads > 0) {
    facts.head_dim = facts.hidden_size / facts.attention_heads;
  }
  const int64_t value_dim = std::max(get("attention.value_length"), int64_t{0});
  // Heads that differ by layer: those layers that have some attend, the others keep a state.
  const int64_t listed = get("attention.head_count_kv.layers");
  const bool recurrent = get("ssm.state_size") > 0;
  const int64_t attending = listed > 0 ? listed : (recurrent ? 0 : facts.layers);
  const int64_t latent = get("attention.kv_lora_rank");
  if (latent > 0) {
    AddGroup(facts, {.kind = LayerGroup::Kind::kLatent,
                     .layers = attending,
                     .elements_per_token = latent + get("rope.dimension_count")});
  } else {
    const int64_t width = facts.head_dim + (value_dim > 0 ? value_dim : facts.head_dim);
    AddGroup(facts,
             {.layers = attending, .elements_per_token = Product(facts.key_value_heads, width)});
  }
  if (recurrent) {
    const int64_t inner = get("ssm.inner_size");
    AddGroup(facts, {.kind = LayerGroup::Kind::kRecurrent,
                     .layers = facts.layers - attending,
                     .state_elements = Product(inner, get("ssm.state_size")) +
                                       Product(inner, get("ssm.conv_kernel"))});
  }
  return facts;
}

}  // namespace llmd::detectors
