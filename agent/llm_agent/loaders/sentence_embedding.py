"""Embedding models with sentence-transformers."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer

from llm_agent.errors import BadRequest
from llm_agent.loaders import hugging_face
from llm_agent.loaders.base import Settings, Tell
from llm_agent.loaders.embedding import Vectors
from llm_agent.runtime.cancellation import Cancellation

BATCH = 32


class SentenceEmbeddingLoader:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()  # neither tokenizer nor pooling is made for two at once

    def load(self, tell: Tell) -> None:
        device = hugging_face.prepare(self._settings)
        tell(f"loading weights with SentenceTransformer on {device}")
        self._model = SentenceTransformer(
            str(self._settings.weights),
            device=device,
            model_kwargs={"dtype": hugging_face.pick_dtype(self._settings)},
            **hugging_face.source_options(self._settings),
        )
        self._width = int(self._model.get_embedding_dimension() or 0)

    def warm_up(self) -> None:
        self.embed(["Hello"], None, False, Cancellation())

    def facts(self) -> dict[str, Any]:
        return {
            "class": "SentenceTransformer",
            "device": str(self._model.device),
            "dimensions": self._width,
            "context": self._model.max_seq_length,
            "parameters": sum(p.numel() for p in self._model.parameters()),
            "sentence_transformers": sentence_transformers.__version__,
            "torch": torch.__version__,
        }

    def close(self) -> None:
        return None

    def embed(
        self, inputs: list[str], dimensions: int | None, truncate: bool, cancellation: Cancellation
    ) -> Vectors:
        if dimensions is not None and dimensions > self._width:
            raise BadRequest(f"dimensions: this model has {self._width}", param="dimensions")
        with self._lock, torch.inference_mode():
            tokens = self._count_tokens(inputs, truncate)
            rows = []
            for begin in range(0, len(inputs), BATCH):
                cancellation.check()
                batch = inputs[begin : begin + BATCH]
                rows.append(self._model.encode(batch, batch_size=BATCH, show_progress_bar=False))
        vectors = np.concatenate(rows).astype(np.float32)
        return Vectors(_shortened(vectors, dimensions), tokens)

    def _count_tokens(self, inputs: list[str], truncate: bool) -> int:
        longest = self._model.max_seq_length
        counts = [len(ids) for ids in self._model.tokenizer(inputs, truncation=False)["input_ids"]]
        for index, count in enumerate(counts):
            if longest and count > longest and not truncate:
                raise BadRequest(
                    f"input {index} has {count} tokens, the model reads {longest}",
                    code="context_length_exceeded", param=f"input.{index}",
                    next_step='split it, or send "truncate": true',
                )  # fmt: skip
        return sum(min(count, longest or count) for count in counts)


def _shortened(vectors: Any, dimensions: int | None) -> Any:
    """The first `dimensions` values, at length 1 again."""
    if dimensions is None or dimensions == vectors.shape[1]:
        return vectors
    vectors = vectors[:, :dimensions]
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
