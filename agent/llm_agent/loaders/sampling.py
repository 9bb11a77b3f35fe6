"""Sampling: picks each token with the request's own generator, so that a seed repeats an answer
however many requests run beside it."""

from __future__ import annotations

import secrets
from typing import Any

import torch
from transformers import LogitsProcessor

from llm_agent.loaders.text import Sampling

DEFAULT_TEMPERATURE = 0.7
DEFAULT_TOP_P = 0.95


def with_defaults(sampling: Sampling, generation_config: Any) -> Sampling:
    """Fills in what the request leaves open: the model's own values, else ours."""
    own = generation_config if getattr(generation_config, "do_sample", False) else None

    def pick(asked: Any, name: str, ours: Any) -> Any:
        found = getattr(own, name, None)
        return asked if asked is not None else (found if found is not None else ours)

    return Sampling(
        temperature=pick(sampling.temperature, "temperature", DEFAULT_TEMPERATURE),
        top_p=pick(sampling.top_p, "top_p", DEFAULT_TOP_P),
        top_k=pick(sampling.top_k, "top_k", 0),
        min_p=pick(sampling.min_p, "min_p", 0.0),
        seed=sampling.seed if sampling.seed is not None else secrets.randbits(63),
        presence_penalty=sampling.presence_penalty,
        frequency_penalty=sampling.frequency_penalty,
        repetition_penalty=sampling.repetition_penalty,
    )


class Sampler(LogitsProcessor):  # type: ignore[misc]
    """Leaves one token possible, so that greedy search takes it. For a batch of one."""

    def __init__(self, sampling: Sampling, prompt_tokens: int, device: Any) -> None:
        self._sampling = sampling
        self._prompt_tokens = prompt_tokens
        self._generator = torch.Generator(device=device)
        self._generator.manual_seed((sampling.seed or 0) % 2**63)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        scores = self._penalised(input_ids, scores.float())
        if not self._sampling.temperature:
            return scores
        probabilities = self._probabilities(scores / self._sampling.temperature)
        token = torch.multinomial(probabilities, 1, generator=self._generator)
        return torch.full_like(scores, float("-inf")).scatter_(1, token, 0.0)

    def _penalised(self, input_ids: Any, scores: Any) -> Any:
        presence, frequency = self._sampling.presence_penalty, self._sampling.frequency_penalty
        made = input_ids[0, self._prompt_tokens :]
        if made.numel() == 0 or (presence == 0 and frequency == 0):
            return scores
        counts = torch.bincount(made, minlength=scores.shape[1])[None].to(scores.dtype)
        return scores - frequency * counts - presence * (counts > 0)

    def _probabilities(self, scores: Any) -> Any:
        top_k, top_p, min_p = self._sampling.top_k, self._sampling.top_p, self._sampling.min_p
        if top_k and top_k < scores.shape[1]:
            least = scores.topk(top_k).values[:, -1:]
            scores = scores.masked_fill(scores < least, float("-inf"))
        probabilities = scores.softmax(-1)
        if min_p:
            least = probabilities.max() * min_p
            probabilities = probabilities.masked_fill(probabilities < least, 0)
        if top_p is not None and top_p < 1:
            ordered, order = probabilities.sort(descending=True)
            # The first token always stays, even when it alone is more than top_p.
            beyond = ordered.cumsum(-1) - ordered >= max(top_p, 1e-6) * ordered.sum()
            probabilities = torch.zeros_like(probabilities).scatter_(
                1, order, ordered.masked_fill(beyond, 0)
            )
        return probabilities
