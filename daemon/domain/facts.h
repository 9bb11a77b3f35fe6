// Facts: what the probes read out of a repository without fetching a weight. Plain data; the
// detective is a pure function over it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "domain/file_inventory.h"

namespace llmd {

// A small text or JSON file that was asked for, and what came of it.
struct Document {
  // Null when the file is not there or is not JSON; `error` says which.
  std::shared_ptr<const nlohmann::json> json;
  std::string text;   // raw content; only for files asked for as text
  std::string error;  // empty when fine; else a sentence such as "config.json:1:7: ..."
};

// The header of a .safetensors file (or the sum over the shards of one index).
struct SafetensorsFacts {
  std::vector<std::string> files;
  std::map<std::string, int64_t> parameters_by_dtype;  // "BF16" -> element count
  int64_t parameters = 0;                              // sum over dtypes
  int64_t weight_bytes = 0;
  std::vector<std::string> tensor_names;  // at most 4,096, sorted
  bool whole = true;                      // every shard was read; else only the first and the last
  std::string error;
};

// The header of a .gguf file.
struct GgufFacts {
  std::string file;
  uint32_t version = 0;
  int64_t tensor_count = 0;
  std::map<std::string, std::string> strings;  // key -> value, short strings only
  std::map<std::string, int64_t> integers;     // key -> value, integers and booleans
  std::map<std::string, double> floats;
  std::map<std::string, int64_t> array_sizes;      // key -> element count
  std::map<std::string, int64_t> tensors_by_type;  // ggml type name -> element count
  int64_t parameters = 0;
  int64_t tensor_bytes = 0;
  bool has_chat_template = false;
  bool whole = true;  // the header's end was reached; else tensors are not counted
  std::string error;
};

// Weight files that belong together and can be loaded as one: the shards of a checkpoint, one
// quantisation of a GGUF, one precision of a pipeline's part. Found from names and sizes alone, see
// weight_sets.h.
struct WeightSet {
  std::string folder;              // inside the repository; empty: its root
  std::string format;              // safetensors | gguf | pytorch | onnx | flax | tensorflow | ...
  std::string variant;             // "fp16", "Q4_K_M", ...; empty: the plain one
  std::string stem;                // the file name before shard number and suffix: "model"
  std::string index;               // the shards' index file; may be empty
  std::vector<std::string> files;  // sorted
  int64_t bytes = 0;
  std::vector<std::string> missing;  // shards that the names promise and the inventory lacks
};

// Like layers of a model, as its memory at run time sees them.
struct LayerGroup {
  enum class Kind {
    kFull,       // attention over the whole context
    kSliding,    // attention over the last `window` tokens, or chunks of that size
    kLatent,     // MLA: one compressed vector a token, shared by all heads
    kRecurrent,  // Mamba, linear attention, short convolution: a state of fixed size
    kCross,      // attention over at most `window` positions of an encoder or an image
  };
  Kind kind = Kind::kFull;
  int64_t layers = 0;
  int64_t elements_per_token = 0;  // cached for one token in one layer (keys and values together)
  int64_t window = 0;              // tokens kept at most; 0: as many as the context holds
  int64_t state_elements = 0;      // kRecurrent: for one sequence in one layer
};

// What the memory of a language model depends on, read out of config.json (of the part that
// generates text) or a GGUF header by detectors/probe_architecture. 0 = not said. Values are
// checked: never negative, never beyond 2^40, so that products of two fit into 64 bits.
struct ArchitectureFacts {
  std::string source;  // where it stands: "config.json", "config.json: text_config", "x.gguf"
  int64_t layers = 0;  // that generate; the decoder's for an encoder-decoder
  int64_t encoder_layers = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t attention_heads = 0;
  int64_t key_value_heads = 0;
  int64_t head_dim = 0;
  int64_t vocab_size = 0;
  int64_t context_length = 0;
  int64_t experts = 0;
  int64_t experts_per_token = 0;
  bool encoder_decoder = false;
  // What a sequence would keep while text is generated; kinds that only read it keep nothing.
  std::vector<LayerGroup> cache;
};

// One part of a composite pipeline: an entry of model_index.json.
struct ComponentFacts {
  std::string name;        // its folder: "text_encoder"
  std::string library;     // "transformers", "diffusers", or a module of the repository's own
  std::string class_name;  // "CLIPTextModel"
  bool has_folder = false;
};

// What the Hub says about the repository.
struct RepositoryInfo {
  std::string repo_id;
  std::string source;                   // hub | cache | folder
  std::optional<std::string> revision;  // 40-hex commit
  bool gated = false;
  bool is_private = false;
  std::vector<std::string> tags;
  std::optional<std::string> pipeline_tag;
  std::optional<std::string> library_name;
  std::optional<std::string> license;
  std::optional<std::string> base_model;
};

struct Facts {
  RepositoryInfo info;
  std::string refusal;       // why the list of files cannot be used (unsafe names, too many)
  std::string access_error;  // why files could not be read (gated), the first of them
  FileInventory inventory;
  std::map<std::string, Document> documents;             // by path
  std::vector<WeightSet> weights;                        // every set, in the order of preference
  std::map<std::string, std::string> not_weights;        // by path: what a tiny file holds instead
  std::optional<SafetensorsFacts> safetensors;           // of the checkpoint at the root
  std::map<std::string, SafetensorsFacts> part_headers;  // by folder, of a pipeline's parts
  std::vector<GgufFacts> ggufs;
  std::vector<ComponentFacts> components;  // of model_index.json, in its order
  std::optional<ArchitectureFacts> architecture;
};

}  // namespace llmd
