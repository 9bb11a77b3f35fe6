"""Tiny encoders, rerankers and encoder-decoders."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from . import tiny_tokenizers
from .folder import write_readme
from .tiny import BERT, LLAMA, save, seed


def _bert(head: str, **config: Any) -> tuple[Any, Any]:
    import transformers

    tokenizer = tiny_tokenizers.word_piece()
    seed()
    made = transformers.BertConfig(
        vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **BERT, **config
    )
    return getattr(transformers, f"BertFor{head}")(made), tokenizer


def names(*labels: str) -> dict[str, Any]:
    """Labels as a configuration holds them."""
    return {"id2label": dict(enumerate(labels)), "label2id": {n: i for i, n in enumerate(labels)}}


def text_classification(out: Path) -> None:
    model, tokenizer = _bert("SequenceClassification", **names("negative", "neutral", "positive"))
    save(model, tokenizer, out, "tiny classifier", "text-classification")


def token_classification(out: Path) -> None:
    model, tokenizer = _bert("TokenClassification", **names("O", "B-LOC", "I-LOC"))
    save(model, tokenizer, out, "tiny tagger", "token-classification")


def fill_mask(out: Path) -> None:
    model, tokenizer = _bert("MaskedLM")
    save(model, tokenizer, out, "tiny masked language model", "fill-mask")


def question_answering(out: Path) -> None:
    model, tokenizer = _bert("QuestionAnswering")
    save(model, tokenizer, out, "tiny reader", "question-answering")


def cross_encoder(out: Path) -> None:
    """A reranker as sentence-transformers saves it."""
    from sentence_transformers import CrossEncoder

    base = out / "base"
    model, tokenizer = _bert("SequenceClassification", num_labels=1)
    model.save_pretrained(base)
    tokenizer.save_pretrained(base)
    CrossEncoder(str(base), device="cpu").save_pretrained(str(out), create_model_card=False)
    shutil.rmtree(base)
    write_readme(
        out, "tiny reranker", "apache-2.0", "Random weights.",
        library_name="sentence-transformers", pipeline_tag="text-ranking",
    )  # fmt: skip


def causal_reranker(out: Path) -> None:
    """A reranker that answers yes or no, as Qwen3-Reranker does."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = tiny_tokenizers.byte_level()
    tokenizer.add_tokens(["yes", "no"])
    ids = tiny_tokenizers.special_ids(tokenizer)
    seed()
    model = Qwen3ForCausalLM(Qwen3Config(head_dim=32, **LLAMA, **ids))
    save(model, tokenizer, out, "tiny causal reranker", "text-ranking")


def t5(out: Path) -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = tiny_tokenizers.unigram()
    seed()
    config = T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        decoder_start_token_id=0,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config)
    save(model, tokenizer, out, "tiny T5", "translation", decoder_start_token_id=0,
         eos_token_id=1, pad_token_id=0)  # fmt: skip


def bart(out: Path) -> None:
    from transformers import BartConfig, BartForConditionalGeneration

    tokenizer = tiny_tokenizers.byte_level(chat=False)
    ids = tiny_tokenizers.special_ids(tokenizer)
    seed()
    config = BartConfig(
        d_model=32, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        encoder_attention_heads=2, decoder_attention_heads=2, max_position_embeddings=128,
        decoder_start_token_id=ids["eos_token_id"], **ids,
    )  # fmt: skip
    model = BartForConditionalGeneration(config)
    ids.pop("vocab_size")
    save(model, tokenizer, out, "tiny BART", "summarization",
         decoder_start_token_id=ids["eos_token_id"], **ids)  # fmt: skip
