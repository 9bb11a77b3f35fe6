"""Labels that come with the request, for models that choose among any words."""

from __future__ import annotations

from typing import Any

from llm_agent.errors import BadRequest


def needed(labels: list[str], example: str) -> list[str]:
    """The labels. Raises BadRequest, with the example as the next step, when there are none."""
    if not labels:
        raise BadRequest(
            "labels: missing: this model chooses among the labels of the request",
            param="labels", next_step=f'send "labels": {example}',
        )  # fmt: skip
    return labels


def check_lengths(labels: list[str], tokenizer: Any) -> None:
    """Raises BadRequest for a label that is longer than the model reads."""
    most = int(tokenizer.model_max_length)
    for index, ids in enumerate(tokenizer(labels)["input_ids"]):
        if len(ids) > most:
            raise too_long(f"labels.{index}", len(ids), most)


def too_long(what: str, tokens: int, most: int) -> BadRequest:
    return BadRequest(
        f"{what}: {tokens} tokens, the model reads {most}", param="labels",
        code="context_length_exceeded", next_step="use fewer words",
    )  # fmt: skip
