"""Words for a gap, and answers out of a text."""

from __future__ import annotations

from typing import Any

import torch
import transformers

from llm_agent.errors import BadRequest
from llm_agent.loaders import hugging_face
from llm_agent.loaders.base import Settings, Tell
from llm_agent.loaders.faces import Ask, Reply
from llm_agent.loaders.pipeline import PipelineLoader
from llm_agent.runtime.cancellation import Cancellation

LONGEST_ANSWER = 64  # tokens
STRIDE = 64  # by how many tokens windows over a long text overlap


class FillMaskLoader(PipelineLoader):
    task = "fill-mask"
    needs = ("prompt",)
    knows = ()

    def warm_up(self) -> None:
        self.reply(Ask(prompt=f"Hello {self._mask}"), Cancellation())

    @property
    def _mask(self) -> str:
        return str(self._pipeline.tokenizer.mask_token)

    def reply(self, ask: Ask, cancellation: Cancellation) -> Reply:
        gaps = ask.prompt.count(self._mask)
        if gaps != 1:
            raise BadRequest(
                f"prompt: one {self._mask} is wanted, there are {gaps}", param="prompt",
                next_step=f"write {self._mask} where the word is missing",
            )  # fmt: skip
        try:
            found = self._run(ask.prompt, top_k=ask.top_k or 5)
        except transformers.pipelines.base.PipelineException:
            raise BadRequest("prompt: too long", code="context_length_exceeded",
                             param="prompt") from None  # fmt: skip
        result = [
            {"word": f["token_str"].strip(), "score": float(f["score"]), "text": f["sequence"]}
            for f in found
        ]
        return Reply(result[0]["text"], result)


class QuestionAnsweringLoader:
    """The stretch of `context` that answers `prompt`. transformers has no pipeline for it."""

    needs = ("prompt", "context")
    knows = ()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def load(self, tell: Tell) -> None:
        self._model = hugging_face.load_model(self._settings, "AutoModelForQuestionAnswering", tell)
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(
            self._settings.weights, **hugging_face.source_options(self._settings)
        )

    def warm_up(self) -> None:
        self.reply(Ask(prompt="Who?", context="It was me."), Cancellation())

    def facts(self) -> dict[str, Any]:
        return hugging_face.model_facts(self._model)

    def close(self) -> None:
        return None

    def reply(self, ask: Ask, cancellation: Cancellation) -> Reply:
        best = (-1.0, 0, 0)
        for inputs, offsets in self._windows(ask):
            cancellation.check()
            best = max(best, self._best(inputs, offsets))
        score, start, end = best
        text = ask.context[start:end]
        return Reply(text, {"answer": text, "score": score, "start": start, "end": end})

    def _windows(self, ask: Ask) -> list[tuple[dict[str, Any], list[tuple[int, int] | None]]]:
        """The context in pieces that fit, each with the characters of its tokens."""
        encoded = self._tokenizer(
            ask.prompt, ask.context, truncation="only_second", stride=STRIDE,
            max_length=min(self._tokenizer.model_max_length, 512),
            return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
        names = [n for n in ("input_ids", "attention_mask", "token_type_ids") if n in encoded]
        windows = []
        for i in range(len(encoded["input_ids"])):
            inputs = {n: torch.tensor([encoded[n][i]], device=self._model.device) for n in names}
            offsets = [
                offset if part == 1 else None
                for offset, part in zip(
                    encoded["offset_mapping"][i], encoded.sequence_ids(i), strict=True
                )
            ]
            windows.append((inputs, offsets))
        return windows

    def _best(
        self, inputs: dict[str, Any], offsets: list[tuple[int, int] | None]
    ) -> tuple[float, int, int]:
        with torch.inference_mode():
            said = self._model(**inputs)
        outside = torch.tensor([offset is None for offset in offsets], device=self._model.device)
        begins, ends = (
            logits[0].float().masked_fill(outside, float("-inf")).softmax(-1)
            for logits in (said.start_logits, said.end_logits)
        )
        if outside.all():
            return (0.0, 0, 0)
        pairs = (begins[:, None] * ends[None, :]).triu().tril(LONGEST_ANSWER - 1)
        flat = int(pairs.argmax())
        first, last = divmod(flat, pairs.shape[1])
        start, end = offsets[first], offsets[last]
        if start is None or end is None:
            return (0.0, 0, 0)
        return (float(pairs[first, last]), start[0], end[1])
