#!/usr/bin/env python3
"""Write ../rules/tables/{transformers,diffusers}.yaml from the installed libraries.

    uv venv v && uv pip install --python v transformers diffusers torch torchvision sentencepiece
    v/bin/python daemon/detectors/tools/make_tables.py && git diff daemon/detectors/rules/tables

Reads the libraries' own auto-model mappings and classes, adds additions.yaml beside this file, and
records the versions, so that a new release of a library is one command and a diff to read.
"""

import importlib
import inspect
import pathlib
import pkgutil
import re
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
TABLES = HERE.parent / "rules" / "tables"
# Names of auto classes whose mapping is called otherwise.
MAPPING_OF = {
    "AutoModel": "MODEL_MAPPING_NAMES",
    "AutoModelForSpeechSeq2Seq": "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES",
    "AutoModelForSeq2SeqLM": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "AutoModelForPreTraining": "MODEL_FOR_PRETRAINING_MAPPING_NAMES",
    "AutoModelForAudioXVector": "MODEL_FOR_AUDIO_XVECTOR_MAPPING_NAMES",
}
# What an architecture's memory depends on, under the names that configurations use most.
SIZES = {
    "layers": ("num_hidden_layers",),
    "hidden": ("hidden_size",),
    "heads": ("num_attention_heads",),
    "kv_heads": ("num_key_value_heads",),
    "head_dim": ("head_dim",),
    "vocab": ("vocab_size",),
    "context": ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"),
}


def mapping_name(auto_class):
    if auto_class in MAPPING_OF:
        return MAPPING_OF[auto_class]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", auto_class.removeprefix("AutoModelFor")).upper()
    return f"MODEL_FOR_{words.replace('CAUSAL_LM', 'CAUSAL_LM')}_MAPPING_NAMES"


def as_list(value):
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


# What a class takes when it only says how its first input is called.
BY_MAIN_INPUT = {"pixel_values": "image", "input_values": "audio", "input_features": "audio"}


def takes(model_class):
    said = as_list(getattr(model_class, "input_modalities", None))
    named = as_list(getattr(model_class, "main_input_name", None))
    main = {BY_MAIN_INPUT[name] for name in named if name in BY_MAIN_INPUT}
    return sorted(main if main and said == ["text"] else said)


def read_classes(transformers):
    """Every public model class: its model type and what goes in and comes out."""
    found = {}
    for name in dir(transformers):
        thing = getattr(transformers, name, None)
        if not inspect.isclass(thing) or not issubclass(thing, transformers.PreTrainedModel):
            continue
        if name.endswith("PreTrainedModel"):
            continue
        config = getattr(thing, "config_class", None)
        found[name] = {
            "type": getattr(config, "model_type", "") or "",
            "in": takes(thing),
            "out": sorted(as_list(getattr(thing, "output_modalities", None))),
        }
    return found


def read_mappings(auto_classes):
    auto = importlib.import_module("transformers.models.auto.modeling_auto")
    mappings = {}
    for auto_class in auto_classes:
        names = getattr(auto, mapping_name(auto_class), None)
        if names is None:
            print(f"no mapping for {auto_class}", file=sys.stderr)
            continue
        mappings[auto_class] = {kind: as_list(value) for kind, value in names.items()}
    return mappings


def by_suffix(name, additions):
    ends = sorted((s for s in additions["suffixes"] if name.endswith(s)), key=len, reverse=True)
    return additions["suffixes"][ends[0]] if ends else None


def by_input(info):
    takes = set(info["in"])
    if takes == {"text"}:
        return "embedding"
    if takes == {"image"}:
        return "image-feature"
    return "unsupported"


def decide(name, info, mappings, types_in, additions):
    """(loader, kind) of one class."""
    loader, kind = None, None
    for auto_class, meaning in additions["loaders"].items():
        if any(name in names for names in mappings.get(auto_class, {}).values()):
            loader, kind = auto_class, meaning
            break
    if loader in (None, "AutoModelForPreTraining"):
        suffix = by_suffix(name, additions)
        loader = name
        kind = suffix["kind"] if suffix else "by-input"
        if kind == "fill-mask" and info["in"] != ["text"]:
            kind = "unsupported"  # pre-training of pictures, sounds, films
        if suffix and info["type"] in types_in.get(suffix["loader"], ()):
            loader = suffix["loader"]
    if kind == "by-input":
        # A class without a head, of a type whose task is done without one.
        for auto_class in ("AutoModelForMaskGeneration", "AutoModelForZeroShotImageClassification"):
            if loader == "AutoModel" and info["type"] in types_in[auto_class]:
                return auto_class, additions["loaders"][auto_class]
        kind = by_input(info)
    takes, gives = set(info["in"]), set(info["out"])
    draws_or_speaks = gives - {"text"} and kind in ("vlm", "tts", "multimodal-any")
    if {"text", "image"} <= takes and draws_or_speaks:
        return name, "multimodal-any"
    hears = {"audio", "text"} <= takes and "image" not in takes
    if hears and kind in ("llm", "seq2seq", "multimodal-any"):
        return name, "multimodal-any"
    if kind == "multimodal-any":
        loader = name
    if kind == "zero-shot-image":
        loader = "AutoModel"
    return loader, kind


def class_table(classes, mappings, additions):
    types_in = {auto: set(names) for auto, names in mappings.items()}
    table = {}
    for name, info in sorted(classes.items()):
        loader, kind = decide(name, info, mappings, types_in, additions)
        own = additions["classes"].get(name, {})
        entry = {"type": info["type"], "loader": loader, "kind": kind} | own
        if info["in"] != ["text"]:
            entry["in"] = info["in"]
        if info["out"] not in ([], ["text"]):
            entry["out"] = info["out"]
        table[name] = entry
    return table


def sizes_of(config):
    sizes = {}
    for name, keys in SIZES.items():
        for key in keys:
            value = getattr(config, key, None)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 40:
                sizes[name] = value
                break
    return sizes


# What a layer keeps while text is generated, by its name in `layer_types`: F all tokens, S those
# of a window, R a state of fixed size, H all tokens and a state.
LAYERS = {
    "full_attention": "F",
    "indexed_attention": "F",
    "sliding_attention": "S",
    "chunked_attention": "S",
    "linear_attention": "R",
    "conv": "R",
    "hybrid": "H",
}
# Enough layers to see a period of up to LONGEST_PERIOD twice.
TRIED_LAYERS, LONGEST_PERIOD = 60, 12


def layers_of(config_class):
    """The repeating part of the kinds of layers that the class makes, and their window."""
    try:
        config = config_class(num_hidden_layers=TRIED_LAYERS)
    except Exception:
        return {}
    types = getattr(config, "layer_types", None)
    if not isinstance(types, (list, tuple)) or len(types) != TRIED_LAYERS:
        return {}
    kinds = "".join(LAYERS.get(name, "?") for name in types)
    repeated = (kinds[:p] * TRIED_LAYERS for p in range(1, LONGEST_PERIOD + 1))
    period = next((p for p, r in enumerate(repeated, 1) if r.startswith(kinds)), None)
    pattern = kinds[:period]
    if period is None or "?" in pattern or pattern == "F":
        return {}
    try:
        window = getattr(config, "sliding_window", None)
        window = window or getattr(config, "attention_chunk_size", None)
    except Exception:  # it varies by layer
        return {}
    said = isinstance(window, int) and window > 0 and "S" in pattern
    return {"pattern": pattern} | ({"window": window} if said else {})


def without_derived(sizes, config_class):
    """A width of heads that the class computes from other sizes is no default of its own."""
    if "head_dim" in sizes and "hidden" in sizes:
        try:
            wider = config_class(hidden_size=2 * sizes["hidden"])
        except Exception:
            return sizes
        if getattr(wider, "head_dim", None) != sizes["head_dim"]:
            del sizes["head_dim"]
    return sizes


def default_class(model_type, mappings):
    """What a configuration without `architectures` stands for."""
    masked = model_type in mappings["AutoModelForMaskedLM"]
    order = (
        ["AutoModel"]
        if masked
        else [
            "AutoModelForSpeechSeq2Seq",
            "AutoModelForTextToWaveform",
            "AutoModelForImageTextToText",
            "AutoModelForCausalLM",
            "AutoModelForSeq2SeqLM",
            "AutoModel",
        ]
    )
    for auto_class in order:
        names = mappings[auto_class].get(model_type)
        if names:
            return names[0]
    return None


def positions_start_late(config_class):
    """Whether the first positions of the embedding table are lost to padding (RoBERTa's way)."""
    module = config_class.__module__.replace("configuration_", "modeling_")
    try:
        source = inspect.getsource(importlib.import_module(module))
    except (ImportError, OSError):
        return False
    table = r"nn\.Embedding\(\s*config\.max_position_embeddings,[^()]*padding_idx"
    return re.search(table, source) is not None and "create_position_ids_from_input_ids" in source


def type_table(transformers, mappings):
    auto = importlib.import_module("transformers.models.auto.configuration_auto")
    table = {}
    for model_type, class_name in sorted(auto.CONFIG_MAPPING_NAMES.items()):
        config_class = getattr(transformers, class_name, None)
        if config_class is None:
            continue
        entry = {"config": class_name}
        chosen = default_class(model_type, mappings)
        if chosen:
            entry["class"] = chosen
        try:
            entry.update(without_derived(sizes_of(config_class()), config_class))
        except Exception as problem:  # a class that cannot stand alone
            print(f"{class_name}: {problem}", file=sys.stderr)
        if positions_start_late(config_class):
            entry["position_offset"] = 2
        entry.update(layers_of(config_class))
        table[model_type] = entry
    return table


def tokenizer_names(transformers):
    auto = importlib.import_module("transformers.models.auto.tokenization_auto")
    names = set()
    for value in auto.TOKENIZER_MAPPING_NAMES.values():
        for name in as_list(value):
            if name:
                names.update({name, name.removesuffix("Fast"), name.removesuffix("Fast") + "Fast"})
    names.update({"PreTrainedTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend"})
    return sorted(names)


def processor_names(transformers):
    endings = ("Processor", "FeatureExtractor", "ImageProcessorFast")
    return sorted(n for n in dir(transformers) if n.endswith(endings) and n[0].isupper())


def write(path, header, sections):
    """One entry a line: a table that is read by diff."""
    lines = ["# Made by daemon/detectors/tools/make_tables.py; do not edit.", *header]
    for name, content in sections.items():
        if isinstance(content, dict):
            lines.append(f"{name}:")
            for key, value in content.items():
                lines.append(f"  {on_one_line(key)}: {on_one_line(value)}")
        elif isinstance(content, list):
            lines.append(f"{name}:")
            lines.extend(f"  - {on_one_line(item)}" for item in content)
        else:
            lines.append(f"{name}: {content}")
    path.write_text("\n".join(lines) + "\n")


def on_one_line(value):
    text = yaml.safe_dump(value, default_flow_style=True, width=10000, sort_keys=False)
    return text.removesuffix("...\n").strip()


def make_transformers(additions):
    import transformers

    mappings = read_mappings(additions["loaders"])
    classes = class_table(read_classes(transformers), mappings, additions)
    types = type_table(transformers, mappings)
    write(
        TABLES / "transformers.yaml",
        ["schema: 1", f"version: {transformers.__version__}"],
        {
            "types": types,
            "classes": classes,
            "aliases": {k: v for k, v in additions["aliases"].items() if v in classes},
            "suffixes": additions["suffixes"],
            "loaders": {k: v for k, v in additions["loaders"].items() if not v.startswith("by-")},
            "foreign_types": additions["foreign_types"],
            "pipeline_tags": additions["pipeline_tags"],
            "tokenizers": tokenizer_names(transformers),
            "processors": processor_names(transformers),
        },
    )
    print(f"transformers {transformers.__version__}: {len(types)} types, {len(classes)} classes")


def pipeline_kind(name, outputs, fields):
    """What a pipeline makes, by the fields and the name of its output class."""
    if name.startswith("Marigold") and "Depth" in name:
        return "depth"
    if "Prior" in name or fields & {"image_embeds", "prompt_embeds"}:
        return "component"
    if fields & {"audios"} or any("Audio" in output for output in outputs):
        return "audio-generation"
    films = any("Video" in output or "LTX" in output for output in outputs)
    if fields & {"frames", "video"} or films:
        return "diffusion-video"
    if fields & {"sequences"}:
        return "llm"
    if any("Protein" in output for output in outputs):
        return "unsupported"
    return "diffusion-image"


def pipeline_entry(name, pipeline):
    try:
        source = inspect.getsource(pipeline.__call__)
    except (OSError, TypeError, AttributeError):
        source = ""
    outputs = set(re.findall(r"(\w+Output)\(", source)) - {"GuiderOutput"}
    fields = set(re.findall(r"Output\((\w+)=", source)) - {"pred"}
    takes = set(inspect.signature(pipeline.__call__).parameters) if source else set()
    parts = set(inspect.signature(pipeline.__init__).parameters)
    entry = {"kind": pipeline_kind(name, outputs, fields)}
    can = []
    if takes & {"mask_image", "mask"}:
        can.append("inpaint")
    if takes & {"image", "video"}:
        can.append("image-to-image")
    if "controlnet" in parts or "ControlNet" in name:
        can.append("control")
    if can:
        entry["can"] = can
    return entry


def make_diffusers(additions):
    import diffusers

    pipelines, models = {}, {}
    for name in sorted(dir(diffusers)):
        thing = getattr(diffusers, name, None)
        if not inspect.isclass(thing):
            continue
        if thing in (diffusers.DiffusionPipeline, diffusers.ModelMixin):
            continue
        if issubclass(thing, diffusers.DiffusionPipeline):
            pipelines[name] = pipeline_entry(name, thing)
        elif issubclass(thing, diffusers.ModelMixin):
            rules = additions["diffusers_models"]
            rule = next((r for r in rules if re.search(r["match"], name)), {})
            models[name] = {"kind": rule.get("kind", "component")}
    pipelines = dict(sorted((pipelines | additions["diffusers_pipelines"]).items()))
    folders = sorted(m.name for m in pkgutil.iter_modules(diffusers.pipelines.__path__))
    write(
        TABLES / "diffusers.yaml",
        ["schema: 1", f"version: {diffusers.__version__}"],
        {"pipelines": pipelines, "models": models, "modules": folders},
    )
    print(f"diffusers {diffusers.__version__}: {len(pipelines)} pipelines, {len(models)} models")


def main():
    additions = yaml.safe_load((HERE / "additions.yaml").read_text())
    TABLES.mkdir(parents=True, exist_ok=True)
    make_transformers(additions)
    make_diffusers(additions)


if __name__ == "__main__":
    main()
