"""Text to sound: speech (VITS, Bark ...) and music (MusicGen ...)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from llm_agent.loaders import hugging_face
from llm_agent.loaders.base import Settings, Tell
from llm_agent.loaders.faces import Sound
from llm_agent.loaders.pipeline import PipelineLoader
from llm_agent.runtime.cancellation import Cancellation

PIECE = 300  # characters that are spoken at once: sound comes early, and memory stays small
MUSIC_SECONDS = 10


class SpeechLoader(PipelineLoader):
    task = "text-to-audio"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.voices: list[str] = []

    def load(self, tell: Tell) -> None:
        super().load(tell)
        speakers = int(getattr(self._pipeline.model.config, "num_speakers", 1) or 1)
        self.voices = [str(i) for i in range(speakers)] if speakers > 1 else []

    def warm_up(self) -> None:
        self._say("Hello", "", 0, Cancellation(), most=8)

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "voices": self.voices}

    def speak(
        self, text: str, voice: str, seed: int | None, cancellation: Cancellation,
        on_sound: Callable[[Sound], None],
    ) -> None:  # fmt: skip
        music = self._settings.kind == "audio-generation"
        seed = secrets.randbits(31) if seed is None else seed
        for piece in [text] if music else pieces(text):
            cancellation.check()
            sound = self._say(piece, voice, seed, cancellation, most=None)
            cancellation.check()
            on_sound(sound)

    def _say(
        self, text: str, voice: str, seed: int, cancellation: Cancellation, most: int | None
    ) -> Sound:
        """`most`: how many steps at most, for models that go by steps."""
        options: dict[str, Any] = {}
        if voice:
            options["forward_params"] = {"speaker_id": int(voice)}
        if self._pipeline.model.can_generate():
            options["generate_kwargs"] = self._generation(cancellation, most)
        # These models draw from torch's own generator, which the lock keeps for this request.
        with self._lock, torch.inference_mode():
            torch.manual_seed(seed)
            said = self._pipeline(text, **options)
        samples = np.asarray(said["audio"], dtype=np.float32).reshape(-1)
        return Sound(np.nan_to_num(samples).clip(-1, 1), int(said["sampling_rate"]))

    def _generation(self, cancellation: Cancellation, most: int | None) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self._pipeline.model.config.model_type.startswith("musicgen"):
            options["stopping_criteria"] = hugging_face.until(cancellation)
            rate = getattr(self._pipeline.model.config.audio_encoder, "frame_rate", 50)
            options["max_new_tokens"] = most or min(
                MUSIC_SECONDS * int(rate), self._positions() - 8
            )
        return options

    def _positions(self) -> int:
        decoder = self._pipeline.model.config.decoder
        return int(getattr(decoder, "max_position_embeddings", 2048))


def pieces(text: str) -> list[str]:
    """The text by sentences, short ones together, long ones cut between words."""
    sentences = re.split(r"(?<=[.!?;:])\s+", " ".join(text.split()))
    parts: list[str] = []
    for sentence in sentences:
        while len(sentence) > PIECE:
            cut = sentence.rfind(" ", 0, PIECE)
            cut = cut if cut > 0 else PIECE
            parts.append(sentence[:cut])
            sentence = sentence[cut:].strip()
        if parts and len(parts[-1]) + len(sentence) < PIECE:
            parts[-1] = f"{parts[-1]} {sentence}"
        elif sentence:
            parts.append(sentence)
    return parts
