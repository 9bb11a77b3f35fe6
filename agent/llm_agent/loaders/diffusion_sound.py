"""Music and sounds with Diffusers, from a description."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from llm_agent.errors import BadRequest
from llm_agent.loaders.base import Settings
from llm_agent.loaders.diffusion import PipelineOfDiffusers
from llm_agent.loaders.faces import Scene, Sound, Speech
from llm_agent.runtime.cancellation import Cancellation

WARM_UP_LATENTS = 32


class DiffusionSoundLoader(PipelineOfDiffusers):
    """Stable Audio and AudioLDM 2."""

    knows = ("seconds", "steps")

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.voices: list[str] = []

    def warm_up(self) -> None:
        speech = Speech("a bell", seed=0, seconds=min(1.0, self._longest() or 1.0), steps=2)
        self._made(speech, Cancellation(), **self._short())

    def _short(self) -> dict[str, Any]:
        """Stable Audio makes all its 47 seconds whatever is asked; for a first answer a few do."""
        if self._longest() is None:
            return {}
        pipeline = self._pipeline
        shape = (1, pipeline.transformer.config.in_channels, WARM_UP_LATENTS)
        return {"latents": torch.zeros(shape, dtype=pipeline.transformer.dtype)}

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "sampling_rate": self._rate()}

    def speak(
        self, speech: Speech, cancellation: Cancellation, on_sound: Callable[[Sound], None]
    ) -> None:
        longest = self._longest()
        if speech.seconds is not None and longest is not None and speech.seconds > longest:
            raise BadRequest(f"seconds: at most {longest:.1f}", param="seconds")
        on_sound(self._made(speech, cancellation))

    def _made(self, speech: Speech, cancellation: Cancellation, **more: Any) -> Sound:
        seed = secrets.randbits(31) if speech.seed is None else speech.seed
        with self._lock:
            cancellation.check()
            made = self._call(
                self._pipeline, Scene(prompt=speech.text, steps=speech.steps), seed, cancellation,
                lambda *_: None, audio_end_in_s=speech.seconds, audio_length_in_s=speech.seconds,
                callback=lambda *_: cancellation.check(), output_type="np", **more,
            )  # fmt: skip
        samples = np.asarray(made.audios[0], dtype=np.float32)  # samples, or channels x samples
        samples = samples.T if samples.ndim == 2 else samples
        return Sound(np.nan_to_num(samples).clip(-1, 1), self._rate())

    def _longest(self) -> float | None:
        """Seconds that a model of a fixed length makes; None: any."""
        transformer = getattr(self._pipeline, "transformer", None)
        if transformer is None:
            return None
        vae = self._pipeline.vae
        return float(transformer.config.sample_size * vae.hop_length / vae.config.sampling_rate)

    def _rate(self) -> int:
        vocoder = getattr(self._pipeline, "vocoder", None)
        config = self._pipeline.vae.config if vocoder is None else vocoder.config
        return int(config.sampling_rate)
