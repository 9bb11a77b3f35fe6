"""The face of models that write text: what a request asks for, and what an answer says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from llm_agent.loaders.base import Loader
from llm_agent.runtime.cancellation import Cancellation


@dataclass(frozen=True)
class Sampling:
    """None: the model's own default."""

    temperature: float | None = None  # 0: always the likeliest token
    top_p: float | None = None
    top_k: int | None = None  # 0: all
    min_p: float | None = None
    seed: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float | None = None


@dataclass(frozen=True)
class TextRequest:
    """Either `messages` (through the chat template) or `prompt` (as it is, text or tokens)."""

    messages: list[dict[str, Any]] | None = None
    prompt: str | list[int] = ""
    max_tokens: int | None = None  # None: as much as the context holds
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    echo: bool = False
    images: tuple[bytes, ...] = ()  # in the order in which the messages mention them


@dataclass(frozen=True)
class Finish:
    reason: str  # stop | length
    prompt_tokens: int
    completion_tokens: int


class TextModel(Loader, Protocol):
    chats: bool  # whether it has a chat template
    takes_images: bool

    def generate(
        self, request: TextRequest, cancellation: Cancellation, on_text: Callable[[str], None]
    ) -> Finish:
        """Calls `on_text` with each piece. Raises BadRequest for what does not fit, and the
        cancellation's reason when it was cancelled."""
