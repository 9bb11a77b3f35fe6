"""Tokenizers of the tiny models: made from a few sentences, alike in every run.

Only the byte-level trainer is deterministic; those of WordPiece, Unigram and suffixed BPE break
ties by hash order, so these vocabularies are built by hand.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

CORPUS = (
    "Once upon a time there was a small model that answered every question it was asked.",
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.",
    "What is the capital of France? The capital of France is Paris.",
    "A daemon keeps the models, starts them, stops them, and routes each request by name.",
    "user assistant system tool function name arguments json true false null 0123456789",
    "Bonjour le monde! Guten Tag! Hola mundo! 1 + 1 = 2, 2 * 3 = 6; (a) [b] {c}",
)
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for part in m['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>", "<image>"]


def byte_level(chat: bool = True, **extra: Any) -> Any:
    """Byte-level BPE, trained on the corpus; with a chat template unless it is not for chat."""
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
        tokenizer_object=bpe, bos_token="<s>", eos_token="<|im_end|>" if chat else "</s>",
        pad_token="<pad>", unk_token="<unk>", model_max_length=512, **extra,
    )  # fmt: skip
    if chat:
        tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def special_ids(tokenizer: Any) -> dict[str, Any]:
    """What a model's configuration needs to know of its tokenizer."""
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    return {"vocab_size": len(tokenizer), **{name: getattr(tokenizer, name) for name in names}}


def _words() -> list[str]:
    """The corpus in lower case, in words and marks, most frequent first."""
    found = Counter(re.findall(r"[a-z0-9]+|[^\sa-z0-9]", " ".join(CORPUS).lower()))
    return sorted(found, key=lambda word: (-found[word], word))


def word_piece() -> Any:
    """BERT's kind: letters, continuation letters and the words of the corpus."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    pieces = dict.fromkeys([*special, *letters, *(f"##{c}" for c in letters), *_words()])
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


def clip() -> Any:
    """CLIP's kind: bytes, bytes that end a word, no merges."""
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    return CLIPTokenizerFast(vocab=vocab, merges=[], model_max_length=77)


def unigram() -> Any:
    """T5's kind: words score by rank, letters are the last resort."""
    from transformers import T5TokenizerFast

    words = [(f"\u2581{word}", -1.0 - 0.01 * i) for i, word in enumerate(_words())]
    letters = [(chr(c), -12.0) for c in range(33, 127)]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -8.0), *words, *letters]
    return T5TokenizerFast(vocab=pieces, extra_ids=0, model_max_length=64)
