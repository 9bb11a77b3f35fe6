"""Text to sound: speech (VITS, Bark ...) and music (MusicGen ...)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from llm_agent.errors import BadRequest
from llm_agent.loaders import hugging_face
from llm_agent.loaders.base import Settings, Tell
from llm_agent.loaders.faces import Sound, Speech
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
        self._say(Speech("Hello", seed=0), Cancellation(), most=8)

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "voices": self.voices}

    @property
    def knows(self) -> tuple[str, ...]:
        return ("seconds",) if self._plays else ()

    @property
    def _plays(self) -> bool:
        """Whether it is MusicGen or its kin."""
        return str(self._pipeline.model.config.model_type).startswith("musicgen")

    def speak(
        self, speech: Speech, cancellation: Cancellation, on_sound: Callable[[Sound], None]
    ) -> None:
        music = self._settings.kind == "audio-generation"
        seed = secrets.randbits(31) if speech.seed is None else speech.seed
        most = self._tokens(speech.seconds) if self._plays else None
        for piece in [speech.text] if music else pieces(speech.text):
            cancellation.check()
            sound = self._say(replace(speech, text=piece, seed=seed), cancellation, most)
            cancellation.check()
            on_sound(sound)

    def _say(self, speech: Speech, cancellation: Cancellation, most: int | None) -> Sound:
        """`most`: how many steps at most, for models that go by steps."""
        options: dict[str, Any] = {}
        if speech.voice:
            options["forward_params"] = {"speaker_id": int(speech.voice)}
        if self._pipeline.model.can_generate():
            options["generate_kwargs"] = self._generation(cancellation, most)
        # These models draw from torch's own generator, which the lock keeps for this request.
        with self._lock, torch.inference_mode():
            torch.manual_seed(speech.seed or 0)
            said = self._pipeline(speech.text, **options)
        samples = np.asarray(said["audio"], dtype=np.float32).reshape(-1)
        return Sound(np.nan_to_num(samples).clip(-1, 1), int(said["sampling_rate"]))

    def _generation(self, cancellation: Cancellation, most: int | None) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self._plays:
            options["stopping_criteria"] = hugging_face.until(cancellation)
            options["max_new_tokens"] = most
        return options

    def _tokens(self, seconds: float | None) -> int:
        """Of that much music. Raises BadRequest for more than the model can look back on."""
        config = self._pipeline.model.config
        rate = int(getattr(config.audio_encoder, "frame_rate", 50))
        most = int(getattr(config.decoder, "max_position_embeddings", 2048)) - 8
        if seconds is None:
            return min(MUSIC_SECONDS * rate, most)
        if seconds * rate > most:
            raise BadRequest(f"seconds: at most {most / rate:.1f}", param="seconds")
        return max(int(seconds * rate), 8)


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
