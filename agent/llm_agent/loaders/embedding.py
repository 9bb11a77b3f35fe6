"""The face of models that turn text into vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from llm_agent.loaders.base import Loader
from llm_agent.runtime.cancellation import Cancellation


@dataclass(frozen=True)
class Vectors:
    rows: Any  # a float32 array, one row for each input
    tokens: int


class EmbeddingModel(Loader, Protocol):
    def embed(
        self, inputs: list[str], dimensions: int | None, truncate: bool, cancellation: Cancellation
    ) -> Vectors:
        """Raises BadRequest for what does not fit; `truncate` cuts too long inputs instead."""
