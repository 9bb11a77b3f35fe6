"""Models that read one text and write another: translation, summaries, T5 and BART."""

from __future__ import annotations

from typing import Any

from llm_agent.errors import BadRequest
from llm_agent.loaders.base import Tell
from llm_agent.loaders.text import TextRequest
from llm_agent.loaders.text_generation import TextGenerationLoader

DEFAULT_ANSWER = 512


class Seq2SeqLoader(TextGenerationLoader):
    auto_class = "AutoModelForSeq2SeqLM"

    def load(self, tell: Tell) -> None:
        super().load(tell)
        self._template = None  # what they read is one text, whatever their tokenizer carries

    def _fit(self, prompt_tokens: int, request: TextRequest) -> int:
        """The text that is read and the one that is written each have the whole context."""
        if prompt_tokens > self._context:
            raise BadRequest(
                f"the text has {prompt_tokens} tokens, the model reads {self._context}",
                code="context_length_exceeded", param="prompt", next_step="shorten it",
            )  # fmt: skip
        return min(request.max_tokens or DEFAULT_ANSWER, self._context)

    def _made_from(self, inputs: dict[str, Any]) -> int:
        return 1  # the decoder begins with its own first token
