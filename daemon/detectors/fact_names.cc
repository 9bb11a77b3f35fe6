#include "detectors/fact_names.h"

#include <array>

namespace llmd::detectors {
namespace {

constexpr std::array kNames = {
    FactName{"hub.library", "library_name of the Hub or the card"},
    FactName{"hub.pipeline_tag", "pipeline_tag of the Hub or the card"},
    FactName{"hub.base_model", "base_model of the Hub or the card"},
    FactName{"weights.formats",
             "formats of all weight files: safetensors, pytorch, gguf, onnx, ..."},
    FactName{"weights.none", "there is no weight file at all"},
    FactName{"weights.checkpoint",
             "format of the root's checkpoint that from_pretrained would load"},
    FactName{"weights.foreign",
             "the runtime that the checkpoint was packed for, when it is not served"},
    FactName{"config.known_type", "transformers knows the model_type"},
    FactName{"config.file", "the file that describes the model: config.json, llm_config.json, ..."},
    FactName{"config.error", "why that file could not be used"},
    FactName{"config.describes", "it names a model type, an architecture or a network's sizes"},
    FactName{"config.model_type", "model_type"},
    FactName{"config.architecture", "architectures[0]"},
    FactName{"config.class", "_class_name of diffusers"},
    FactName{"config.absurd", "its sizes are beyond any model's"},
    FactName{"transformers.kind",
             "what the class makes, by the table of transformers' own mappings"},
    FactName{"transformers.loader", "the auto class that loads it; none when nothing can"},
    FactName{"transformers.obstacle", "why nothing can"},
    FactName{"transformers.package", "another package that knows the model_type"},
    FactName{"transformers.native", "the library has model_type and class"},
    FactName{"transformers.audio", "sound goes in or comes out, and no pictures"},
    FactName{"transformers.vision", "it takes pictures"},
    FactName{"transformers.hears", "it takes sound"},
    FactName{"transformers.one_label", "a classifier with one label"},
    FactName{"tokenizer.there", "there is a tokenizer file"},
    FactName{"tokenizer.chat", "there is a chat template"},
    FactName{"tokenizer.tools", "the chat template knows tools"},
    FactName{"adapter.there", "adapter_config.json describes an adapter of PEFT"},
    FactName{"adapter.base", "the model that the adapter was made for"},
    FactName{"audio.coqui", "model of config.json, as the coqui library writes it"},
    FactName{"timm.architecture", "architecture of config.json, as timm writes it"},
    FactName{"quantization", "how the root's checkpoint is quantised"},
    FactName{"gguf.only", "GGUF files are the only weights that can be served"},
    FactName{"gguf.architecture", "general.architecture"},
    FactName{"gguf.type", "general.type: model, adapter, mmproj, imatrix"},
    FactName{"gguf.pooling", "pooling_type: none, mean, cls, last, rank"},
    FactName{"gguf.projector", "a multimodal projector lies beside the model"},
    FactName{"gguf.hears", "the projector takes sound"},
    FactName{"gguf.sees", "the projector takes pictures"},
    FactName{"gguf.chat", "the header has a chat template"},
    FactName{"gguf.tools", "the chat template knows tools"},
    FactName{"gguf.error", "why no GGUF header could be read"},
    FactName{"pipeline.class", "_class_name of model_index.json"},
    FactName{"pipeline.known", "diffusers has that class"},
    FactName{"pipeline.kind", "what the pipeline makes"},
    FactName{"pipeline.can", "inpaint, image-to-image, control"},
    FactName{"pipeline.remote_code", "the pipeline or a part is code of the repository"},
    FactName{"pipeline.missing", "parts without their files"},
    FactName{"part.kind", "a single model of diffusers: component, controlnet, adapter"},
    FactName{"part.known", "diffusers has the class of config.json"},
    FactName{"tensors.layout", "lora, textual-inversion, ip-adapter, single-file, controlnet"},
    FactName{"tensors.family", "flux, sdxl, sd1, sd3, ... by the names of the tensors"},
    FactName{"sentence.kind", "embedding, sparse, multi-vector, reranker by modules.json"},
    FactName{"sentence.custom", "a module of modules.json is code of the repository"},
    FactName{"kind", "what the rule made of it so far; for capabilities"},
    FactName{"folders.models", "sub-folders that hold a model of their own"},
    FactName{"folders.several", "there is more than one of them"},
};

}  // namespace

std::span<const FactName> KnownFacts() { return kNames; }

std::set<std::string> KnownFactNames() {
  std::set<std::string> names;
  for (const FactName& fact : kNames) names.emplace(fact.name);
  return names;
}

}  // namespace llmd::detectors
