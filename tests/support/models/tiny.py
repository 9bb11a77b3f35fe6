"""Tiny random models: real formats, a few hundred kilobytes, made in a second and always alike."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from . import tiny_tokenizers
from .folder import write_readme

SEED = 20260101
# head_dim 32 is the smallest that vLLM's attention on a CPU takes
LLAMA: dict[str, Any] = dict(
    hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, max_position_embeddings=512, tie_word_embeddings=False,
)  # fmt: skip
BERT: dict[str, Any] = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
    max_position_embeddings=128,
)  # fmt: skip


def seed() -> None:
    import torch

    torch.manual_seed(SEED)


def save(model: Any, processor: Any, out: Path, title: str, task: str, **generation: Any) -> None:
    """The folder of a model of transformers: weights, what prepares its input, a card.

    `generation` replaces its generation settings: ones derived from the model's configuration lose
    what is special to the model when they are loaded again.
    """
    from transformers import GenerationConfig

    if generation:
        model.generation_config = GenerationConfig(**generation)
    model.save_pretrained(out)
    processor.save_pretrained(out)
    write_readme(
        out, title, "apache-2.0", "Random weights.", library_name="transformers", pipeline_tag=task
    )


def _llama(tokenizer: Any) -> Any:
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in _IDS}
    seed()
    model = LlamaForCausalLM(LlamaConfig(**LLAMA, **ids, vocab_size=len(tokenizer)))
    model.generation_config = GenerationConfig(**ids)
    return model


_IDS = ("bos", "eos", "pad")


def tiny_llama(out: Path) -> None:
    """A random Llama in safetensors, with a chat template."""
    tokenizer = tiny_tokenizers.byte_level()
    _llama(tokenizer).save_pretrained(out)
    tokenizer.save_pretrained(out)
    write_readme(out, "tiny llama", "apache-2.0", "Random weights.", library_name="transformers")


def tiny_embedding(out: Path) -> None:
    """A random BERT as a sentence-transformers folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel

    base = out / "base"
    tokenizer = tiny_tokenizers.word_piece()
    seed()
    BertModel(BertConfig(vocab_size=len(tokenizer), **BERT)).save_pretrained(base)
    tokenizer.save_pretrained(base)
    parts = [Transformer(str(base)), Pooling(BERT["hidden_size"]), Normalize()]
    model = SentenceTransformer(modules=parts, device="cpu")
    model.save_pretrained(str(out), create_model_card=False)
    shutil.rmtree(base)
    write_readme(
        out, "tiny embedding", "apache-2.0", "Random weights.", library_name="sentence-transformers"
    )


def tiny_gguf(out: Path) -> None:
    """The tiny llama as GGUF, F16, with its vocabulary and chat template."""
    import gguf

    tokenizer = tiny_tokenizers.byte_level()
    model = _llama(tokenizer)
    writer = gguf.GGUFWriter(out / "tiny-llama-f16.gguf", "llama")
    _write_gguf_head(writer, model.config)
    _write_gguf_vocabulary(writer, tokenizer)
    _write_gguf_tensors(writer, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_readme(out, "tiny llama GGUF", "apache-2.0", "Random weights.", tags=["gguf"])


def _write_gguf_head(writer: Any, config: Any) -> None:
    import gguf

    writer.add_name("tiny-llama")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)


def _write_gguf_vocabulary(writer: Any, tokenizer: Any) -> None:
    import gguf

    bpe = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    words = [word for word, _ in sorted(bpe["vocab"].items(), key=lambda item: item[1])]
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(words)
    special = tiny_tokenizers.SPECIAL
    writer.add_token_types([control if word in special else normal for word in words])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in bpe["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_chat_template(tokenizer.chat_template)


def _write_gguf_tensors(writer: Any, model: Any) -> None:
    import gguf
    import numpy as np

    heads = {"q_proj": model.config.num_attention_heads, "k_proj": model.config.num_key_value_heads}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        data = tensor.float().numpy()
        part = name.split(".")[-2]
        if part in heads:  # GGUF keeps rotary pairs interleaved
            shape = (heads[part], 2, -1, data.shape[1])
            data = data.reshape(shape).swapaxes(1, 2).reshape(data.shape)
        data = data if data.ndim == 1 else data.astype(np.float16)
        target = names.get_name(name, try_suffixes=(".weight",))
        writer.add_tensor(target, np.ascontiguousarray(data))
