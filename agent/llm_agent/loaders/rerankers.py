"""Rerankers: cross-encoders that score a pair, and language models that say yes or no."""

from __future__ import annotations

import threading
from typing import Any

import sentence_transformers
import torch
import transformers
from sentence_transformers import CrossEncoder

from llm_agent.errors import LoadError
from llm_agent.loaders import hugging_face
from llm_agent.loaders.base import Loader, Settings, Tell
from llm_agent.loaders.faces import Ranking
from llm_agent.runtime.cancellation import Cancellation

BATCH = 16
# As Qwen3-Reranker was trained; other models of the kind follow it.
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
SYSTEM = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".'
)


def reranker(settings: Settings) -> Loader:
    """The loader for this model: by its head, which the architecture names."""
    if settings.architecture.endswith("ForCausalLM"):
        return CausalReranker(settings)
    return CrossEncoderReranker(settings)


class CrossEncoderReranker:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()

    def load(self, tell: Tell) -> None:
        device = hugging_face.prepare(self._settings)
        tell(f"loading weights with CrossEncoder on {device}")
        self._model = CrossEncoder(
            str(self._settings.weights), device=device,
            model_kwargs={"dtype": hugging_face.pick_dtype(self._settings)},
            **hugging_face.source_options(self._settings),
        )  # fmt: skip
        if self._model.num_labels != 1:
            raise LoadError(
                f"a reranker gives one score, this model gives {self._model.num_labels}",
                next_step="it is a classifier of pairs",
            )

    def warm_up(self) -> None:
        self.rank("Hello", ["Hello"], Cancellation())

    def facts(self) -> dict[str, Any]:
        return {
            **hugging_face.model_facts(self._model.model),
            "sentence_transformers": sentence_transformers.__version__,
        }

    def close(self) -> None:
        return None

    def rank(self, query: str, documents: list[str], cancellation: Cancellation) -> Ranking:
        scores: list[float] = []
        with self._lock, torch.inference_mode():
            for begin in range(0, len(documents), BATCH):
                cancellation.check()
                pairs = [(query, text) for text in documents[begin : begin + BATCH]]
                found = self._model.predict(pairs, batch_size=BATCH, show_progress_bar=False)
                scores += [float(score) for score in found]
            tokens = sum(
                len(ids)
                for ids in self._model.tokenizer(
                    [query] * len(documents), documents, truncation=True
                )["input_ids"]
            )
        return Ranking(scores, tokens)


class CausalReranker:
    """The probability of "yes" against "no" as the next token."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()

    def load(self, tell: Tell) -> None:
        self._model = hugging_face.load_model(self._settings, "AutoModelForCausalLM", tell)
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(
            self._settings.weights, padding_side="left",
            **hugging_face.source_options(self._settings),
        )  # fmt: skip
        self._context = min(hugging_face.context_length(self._settings, self._model), 8192)
        self._yes, self._no = (self._token(word) for word in ("yes", "no"))

    def _token(self, word: str) -> int:
        ids = self._tokenizer(word, add_special_tokens=False)["input_ids"]
        if len(ids) != 1:
            raise LoadError(f"the model's vocabulary has no token for {word!r}")
        return int(ids[0])

    def warm_up(self) -> None:
        self.rank("Hello", ["Hello"], Cancellation())

    def facts(self) -> dict[str, Any]:
        return {**hugging_face.model_facts(self._model), "context": self._context}

    def close(self) -> None:
        return None

    def rank(self, query: str, documents: list[str], cancellation: Cancellation) -> Ranking:
        scores: list[float] = []
        tokens = 0
        with self._lock, torch.inference_mode():
            for text in documents:
                cancellation.check()
                ids = self._prompt(query, text)
                tokens += len(ids)
                logits = self._model(torch.tensor([ids], device=self._model.device)).logits[0, -1]
                pair = logits[[self._no, self._yes]].float().softmax(-1)
                scores.append(float(pair[1]))
        return Ranking(scores, tokens)

    def _prompt(self, query: str, text: str) -> list[int]:
        """The pair between the fixed words; the document is what gets cut."""

        def ids(part: str) -> list[int]:
            return list(self._tokenizer(part, add_special_tokens=False)["input_ids"])

        before = ids(
            f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n"
            f"<Instruct>: {INSTRUCTION}\n<Query>: {query}\n<Document>: "
        )
        after = ids("<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n")
        room = self._context - len(before) - len(after)
        return (before + ids(text)[: max(room, 0)] + after)[-self._context :]
