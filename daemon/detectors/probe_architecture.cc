#include "detectors/probe_architecture.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "detectors/layer_groups.h"
#include "domain/json_path.h"

namespace llmd::detectors {
namespace {

using nlohmann::json;

// Reads one configuration, see ArchitectureOf.
class ConfigReader {
 public:
  ConfigReader(const ModelConfig& config, const Tables& tables) : config_(config) {
    type_ = JsonText(config.text, "model_type");
    if (type_.empty()) {
      // The text part of a model of several has a type of its own: gemma3 and gemma3_text.
      type_ = config.model_type;
      if (!config.text_path.empty() && tables.types.contains(type_ + "_text")) type_ += "_text";
    }
    const auto at = tables.types.find(type_);
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
    if (!FromLayerTypes() && !FromIndices() && !FromPattern() && !FromPeriod() && !FromBlocks() &&
        !FromWindowPattern() && !FromMaxWindowLayers() && !FromDefaultPattern()) {
      AddAttention(DefaultKind(), facts_.layers);
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
    facts_.head_dim = HeadDim();
    facts_.intermediate_size =
        Get({"intermediate_size", "ffn_dim", "d_ff", "n_inner", "ffn_hidden_size", "hidden_dim"});
    facts_.vocab_size =
        Get({"vocab_size", "padded_vocab_size", "embedding_size"}, Default(&ModelType::vocab));
    facts_.experts =
        Get({"num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"});
    facts_.experts_per_token =
        Get({"num_experts_per_tok", "top_k_experts", "moe_topk", "num_experts_per_token"});
  }

  int64_t HeadDim() const {
    const bool zamba = type_ == "zamba" || type_ == "zamba2";
    const int64_t said = zamba ? Get({"attention_head_dim"})
                               : Get({"head_dim", "attention_head_dim", "kv_channels", "d_kv"});
    if (said > 0) return said;
    const int64_t usual = zamba ? 0 : Default(&ModelType::head_dim);
    if (usual > 0 || facts_.attention_heads == 0) return usual;
    // Zamba's attention sees the embeddings beside the hidden state.
    return Product(zamba ? 2 : 1, facts_.hidden_size) / facts_.attention_heads;
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
    return Window() > 0 ? Kind::kSliding : Kind::kFull;
  }

  // Of the layers that slide; 0: none does. Written as null it is none, too.
  int64_t Window() const {
    if (JsonBool(config_.text, "use_sliding_window") == false) return 0;
    constexpr std::array kKeys = {"sliding_window", "attention_window_size", "local_attention",
                                  "attention_chunk_size"};
    bool said = false;
    for (const char* key : kKeys) {
      if (const int64_t window = Get({key}); window > 0) return window;
      said = said || JsonMember(config_.text, key) != nullptr;
    }
    return said ? 0 : Default(&ModelType::window);
  }

  bool IsMambaType() const {
    return type_ == "mamba" || type_ == "mamba2" || type_ == "falcon_mamba" || type_ == "xlstm";
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
      if (kind == Kind::kSliding) group.window = Window();
      if (kind == Kind::kSliding && group.window == 0) group.kind = Kind::kFull;
    }
    AddGroup(facts_, group);
  }

  // What one sequence keeps in one layer without attention: the state and the convolution's tail.
  int64_t StateElements() const {
    const int64_t expand = Get({"expand", "mamba_expand"}, 2);
    const int64_t heads =
        Get({"mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "linear_num_value_heads"});
    const int64_t width =
        Get({"mamba_head_dim", "mamba_d_head", "mamba_headdim", "linear_value_head_dim"});
    int64_t inner =
        heads > 0 && width > 0 ? Product(heads, width) : Product(expand, facts_.hidden_size);
    inner = Get({"mamba_d_ssm", "mamba_intermediate_size"}, inner);
    const int64_t state = Get({"ssm_state_size", "state_size", "mamba_d_state", "mamba_state_dim",
                               "linear_key_head_dim"});
    const int64_t kernel = Get({"conv_kernel", "mamba_d_conv", "conv_L_cache",
                                "linear_conv_kernel_dim", "conv_kernel_size", "conv1d_width"});
    if (state == 0 && kernel > 0) return Product(kernel, facts_.hidden_size);  // convolution alone
    if (state == 0) return Product(5, facts_.hidden_size);                     // RWKV: five vectors
    const int64_t groups =
        Get({"n_groups", "mamba_n_groups", "mamba_ngroups", "linear_num_key_heads"});
    return Product(inner, state) + Product(kernel, inner + Product(2 * groups, state));
  }

  // "layer_types": ["full_attention", "sliding_attention", "mamba", "conv", ...], older models
  // under other names; RecurrentGemma's block_types repeat themselves.
  bool FromLayerTypes() {
    for (const char* key : {"layer_types", "layers_block_type", "block_types"}) {
      const json* types = JsonMember(config_.text, key);
      if (types == nullptr || !types->is_array() || types->empty()) continue;
      const bool repeats = key == std::string_view("block_types");
      const auto size = static_cast<int64_t>(types->size());
      const int64_t layers = repeats ? facts_.layers : std::min(size, facts_.layers);
      for (int64_t i = 0; i < layers; ++i) {
        const json& type = (*types)[static_cast<size_t>(i % size)];
        if (type.is_string()) AddLayer(KindOf(type.get_ref<const std::string&>()), i);
      }
      if (!facts_.cache.empty()) return true;
    }
    return false;
  }

  // What a layer keeps, as in ModelType::pattern; '-': nothing.
  static char KindOf(std::string_view type) {
    const auto has = [&](std::string_view word) { return type.find(word) != type.npos; };
    if (has("sliding") || has("chunked") || has("local") || has("window")) return 'S';
    if (has("hybrid")) return 'H';
    if (type == "mlp" || type == "moe") return '-';
    if (has("linear") || !(has("attention") || has("full") || has("global"))) return 'R';
    return 'F';
  }

  void AddLayer(char kind, int64_t index) {
    using Kind = LayerGroup::Kind;
    // The last ones of Gemma 3n read what earlier ones keep.
    if (index >= facts_.layers - Get({"num_kv_shared_layers"})) return;
    // RecurrentGemma calls its windows attention.
    if (kind == 'F' && Get({"attention_window_size"}) > 0) kind = 'S';
    const Kind full = Get({"kv_lora_rank"}) > 0 ? Kind::kLatent : Kind::kFull;
    if (kind == 'F' || kind == 'H') AddAttention(full, 1);
    if (kind == 'S') AddAttention(Kind::kSliding, 1);
    if (kind == 'R' || kind == 'H') AddAttention(Kind::kRecurrent, 1);
  }

  void AddPattern(std::string_view pattern) {
    for (int64_t i = 0; i < facts_.layers; ++i) {
      AddLayer(pattern[static_cast<size_t>(i) % pattern.size()], i);
    }
  }

  // Bamba, old LFM2, Zamba2: the numbers of the layers that attend. MiniMax: 1 for those, 0 for
  // others.
  bool FromIndices() {
    for (const char* key : {"attn_layer_indices", "full_attn_idxs", "hybrid_layer_ids"}) {
      const json* listed = JsonMember(config_.text, key);
      if (listed == nullptr || !listed->is_array()) continue;
      std::string kinds(static_cast<size_t>(facts_.layers), 'R');
      const bool hybrid = key == std::string_view("hybrid_layer_ids");
      for (const json& item : *listed) {
        const int64_t index = AsSize(item).value_or(facts_.layers);
        if (index < facts_.layers) kinds[static_cast<size_t>(index)] = hybrid ? 'H' : 'F';
      }
      AddPattern(kinds);
      return true;
    }
    const json* list = JsonMember(config_.text, "attn_type_list");
    if (list == nullptr || !list->is_array() || list->empty()) return false;
    std::string kinds;
    for (const json& item : *list) kinds += AsSize(item).value_or(1) == 0 ? 'R' : 'F';
    AddPattern(kinds);
    return true;
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
    // The first one, and each n-th after it.
    const int64_t first = std::min(Get({"attn_layer_offset"}, period - 1), facts_.layers);
    const int64_t attention = (facts_.layers - first + period - 1) / period;
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

  // Gemma 3, Cohere 2: every n-th layer attends to everything, the others to a window. EXAONE
  // writes it out, too: "LLLG".
  bool FromWindowPattern() {
    if (Window() == 0) return false;
    const std::string written = JsonText(config_.text, "sliding_window_pattern");
    if (written.find('G') != written.npos) {
      std::string pattern;
      for (const char letter : written) pattern += letter == 'G' ? 'F' : 'S';
      AddPattern(pattern);
      return true;
    }
    const int64_t period = Get({"sliding_window_pattern", "global_attn_every_n_layers"});
    if (period <= 1 || period > kMaxLayers) return false;
    std::string pattern(static_cast<size_t>(period), 'S');
    const bool full_first = defaults_ != nullptr && defaults_->pattern.starts_with('F');
    (full_first ? pattern.front() : pattern.back()) = 'F';
    AddPattern(pattern);
    return true;
  }

  // Qwen 2 and 3: the first so many attend to everything. The library slides only when asked to.
  bool FromMaxWindowLayers() {
    const auto full = JsonSize(config_.text, "max_window_layers");
    if (!full || Get({"kv_lora_rank"}) > 0) return false;
    const bool slides = JsonBool(config_.text, "use_sliding_window") == true && Window() > 0;
    const int64_t first = slides ? std::min(*full, facts_.layers) : facts_.layers;
    AddAttention(LayerGroup::Kind::kFull, first);
    AddAttention(LayerGroup::Kind::kSliding, facts_.layers - first);
    return true;
  }

  // What the library's class makes of a configuration that says nothing about its layers.
  bool FromDefaultPattern() {
    if (defaults_ == nullptr || defaults_->pattern.empty() || facts_.attention_heads == 0)
      return false;
    AddPattern(defaults_->pattern);
    return !facts_.cache.empty();
  }

  void AddCrossAttention() {
    AddGroup(facts_,
             {.kind = LayerGroup::Kind::kCross,
              .layers = facts_.layers,
              .elements_per_token = Product(2 * facts_.key_value_heads, facts_.head_dim),
              .window = Get({"max_source_positions", "max_position_embeddings", "n_positions"})});
  }

  const ModelConfig& config_;
  std::string type_;
  const ModelType* defaults_ = nullptr;
  ArchitectureFacts facts_;
};

}  // namespace

std::optional<ArchitectureFacts> ArchitectureOf(const ModelConfig& config, const Tables& tables) {
  if (config.root == nullptr) return std::nullopt;
  return ConfigReader(config, tables).Read();
}

}  // namespace llmd::detectors
