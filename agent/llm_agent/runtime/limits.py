"""Limits: how much one request may ask for, in one table. Beyond it a request is refused."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    body_bytes: int = 32 * MIB  # JSON body; pictures come in it as data: addresses
    upload_bytes: int = 64 * MIB  # multipart body
    json_depth: int = 64
    waiting: int = 64  # requests that may wait for a slot; the next gets server_busy
    # text
    choices: int = 8  # n
    stop_strings: int = 16
    stop_characters: int = 256  # of one stop string
    messages: int = 4096
    prompts: int = 64  # prompts of one /v1/completions call
    template_seconds: float = 2.0  # a chat template that runs longer is killed
    # vectors, ranks, labels
    inputs: int = 2048
    input_characters: int = 1_000_000
    documents: int = 1000
    labels: int = 256
    # pictures, sound, film
    pixels: int = 16_777_216  # of a picture that comes in
    images: int = 16  # of one request
    audio_bytes: int = 25 * MIB
    audio_seconds: int = 600
    audio_samples: int = 64_000_000  # decoded, over all channels
    frames: int = 256
    speech_characters: int = 4096
    # made pictures, films and sounds
    made_images: int = 4
    made_pixels: int = 2_097_152
    made_frames: int = 121
    made_seconds: int = 120
    steps: int = 150


LIMITS = Limits()
