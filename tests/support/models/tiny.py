"""Tiny random models: real formats, a few hundred kilobytes, made in a second and always alike."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from .folder import write_readme

SEED = 20260101
CORPUS = (
    "Once upon a time there was a small model that answered every question it was asked.",
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.",
    "What is the capital of France? The capital of France is Paris.",
    "A daemon keeps the models, starts them, stops them, and routes each request by name.",
    "user assistant system tool function name arguments json true false null 0123456789",
    "Bonjour le monde! Guten Tag! Hola mundo! 1 + 1 = 2, 2 * 3 = 6; (a) [b] {c}",
)
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>"]
# head_dim 32 is the smallest that vLLM's attention on a CPU takes
LLAMA: dict[str, Any] = dict(
    hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, max_position_embeddings=512, tie_word_embeddings=False,
)  # fmt: skip
BERT: dict[str, Any] = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
    max_position_embeddings=128,
)  # fmt: skip


def _seed() -> None:
    import torch

    torch.manual_seed(SEED)


def _chat_tokenizer() -> Any:
    """A byte-level BPE tokenizer trained on the corpus above."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, special_tokens=SPECIAL),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="<|im_end|>", pad_token="<pad>",
        unk_token="<unk>", model_max_length=512,
    )  # fmt: skip
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _wordpiece_tokenizer() -> Any:
    """Letters, continuation letters and the words of the corpus.

    Built by hand: the WordPiece trainer breaks ties by hash order and differs from run to run.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    found = Counter(re.findall(r"[a-z0-9]+|[^\sa-z0-9]", " ".join(CORPUS).lower()))
    words = sorted(found, key=lambda word: (-found[word], word))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    pieces = dict.fromkeys([*special, *letters, *(f"##{c}" for c in letters), *words])
    vocab = {piece: i for i, piece in enumerate(pieces)}
    wordpiece = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    wordpiece.normalizer = normalizers.BertNormalizer(lowercase=True)
    wordpiece.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    wordpiece.decoder = decoders.WordPiece()
    wordpiece.post_processor = processors.BertProcessing(
        ("[SEP]", vocab["[SEP]"]), ("[CLS]", vocab["[CLS]"])
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=wordpiece, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_max_length=128,
    )  # fmt: skip


def _llama(tokenizer: Any) -> Any:
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in _IDS}
    _seed()
    model = LlamaForCausalLM(LlamaConfig(**LLAMA, **ids, vocab_size=len(tokenizer)))
    model.generation_config = GenerationConfig(**ids)
    return model


_IDS = ("bos", "eos", "pad")


def tiny_llama(out: Path) -> None:
    """A random Llama in safetensors, with a chat template."""
    tokenizer = _chat_tokenizer()
    _llama(tokenizer).save_pretrained(out)
    tokenizer.save_pretrained(out)
    write_readme(out, "tiny llama", "apache-2.0", "Random weights.", library_name="transformers")


def tiny_embedding(out: Path) -> None:
    """A random BERT as a sentence-transformers folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel

    base = out / "base"
    tokenizer = _wordpiece_tokenizer()
    _seed()
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

    tokenizer = _chat_tokenizer()
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
    writer.add_token_types([control if word in SPECIAL else normal for word in words])
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
