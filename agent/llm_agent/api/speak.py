"""/v1/audio/speech: speech, and sound from a description."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal, cast

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import Field

from llm_agent.api import exchange
from llm_agent.api.generate import GenerateBody, add_generate
from llm_agent.errors import BadRequest
from llm_agent.loaders import media
from llm_agent.loaders.faces import Reply, Sound, SpeakModel, Speech
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.limits import Limits
from llm_agent.runtime.service import Emit, Service

MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "application/octet-stream",
}
PCM_RATE = 24_000  # OpenAI's pcm: 16 bit, little endian, one channel, at this rate


class SpeechBody(exchange.Body):
    model: str | None = None
    input: str
    voice: str | dict[str, Any] | None = None
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] | None = None
    speed: Annotated[float, Field(ge=0.25, le=4)] | None = None
    stream_format: Literal["audio", "sse"] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    num_inference_steps: Annotated[int, Field(ge=1)] | None = None

    def speech(self, limits: Limits, model: SpeakModel) -> Speech:
        """What is asked for. Raises BadRequest."""
        text = checked_text(self.input, limits, "input")
        self._check_extras(limits, model)
        if self.speed not in (None, 1.0):
            raise BadRequest("speed: this model speaks at its own", param="speed",
                             code="unsupported_parameter")  # fmt: skip
        if self.response_format == "aac":
            raise BadRequest("response_format: aac cannot be made here", param="response_format",
                             next_step=f"one of {', '.join(MEDIA_TYPES)}")  # fmt: skip
        voice = self.voice if isinstance(self.voice, str) else ""
        # Clients name OpenAI's voices by default; a model with one voice speaks with that one.
        if model.voices and voice and voice not in model.voices:
            raise BadRequest(
                f"voice: {voice[:50]!r} is unknown",
                param="voice",
                next_step=f"one of {', '.join(model.voices[:50])}",
            )
        voice = voice if model.voices else ""
        return Speech(text, voice, self.seed, self.seconds, self.num_inference_steps)

    def _check_extras(self, limits: Limits, model: SpeakModel) -> None:
        for field, name, most in (
            ("seconds", "seconds", limits.made_seconds),
            ("num_inference_steps", "steps", limits.steps),
        ):
            value = getattr(self, field)
            if value is not None and name not in model.knows:
                raise BadRequest(f"{field}: not for this model", param=field,
                                 code="unsupported_parameter")  # fmt: skip
            if value is not None and value > most:
                raise BadRequest(f"{field}: at most {most}", param=field)


def checked_text(text: str, limits: Limits, param: str) -> str:
    if not text.strip() or len(text) > limits.speech_characters:
        raise BadRequest(f"{param}: 1 to {limits.speech_characters} characters", param=param)
    return text


def add_routes(app: FastAPI, service: Service) -> None:
    @app.post("/v1/audio/speech")
    async def speech(request: Request) -> Response:
        body = await exchange.read_body(request, SpeechBody, service.limits.body_bytes)
        asked = body.speech(service.limits, _model(service))
        form = body.response_format or "mp3"
        if body.stream_format == "sse":
            return await _events(request, service, asked)
        if form == "pcm":
            return await _pcm(request, service, asked)
        sound = await _whole(request, service, asked)
        return Response(
            media.encode_sound(sound.samples, sound.rate, form), media_type=MEDIA_TYPES[form]
        )

    async def generate(request: Request, body: GenerateBody) -> Reply:
        text = checked_text(body.text(), service.limits, "prompt")
        sound = await _whole(request, service, Speech(text, seed=body.seed))
        seconds = len(sound.samples) / sound.rate
        result = {"seconds": seconds, "sampling_rate": sound.rate}
        data = media.encode_sound(sound.samples, sound.rate, "wav")
        return Reply(f"{seconds:.2f} s at {sound.rate} Hz", result, data, "audio/wav")

    add_generate(app, service, generate)


def _model(service: Service) -> SpeakModel:
    return cast(SpeakModel, service.loader)


async def _whole(request: Request, service: Service, speech: Speech) -> Sound:
    model = _model(service)

    def work(cancellation: Cancellation) -> Sound:
        pieces: list[Sound] = []
        model.speak(speech, cancellation, pieces.append)
        return Sound(*media.joined([(p.samples, p.rate) for p in pieces]))

    return await exchange.answer(request, service, work)


async def _pcm(request: Request, service: Service, speech: Speech) -> Response:
    """As it is spoken, piece by piece."""
    model = _model(service)

    def work(cancellation: Cancellation, emit: Emit[bytes]) -> None:
        def on_sound(sound: Sound) -> None:
            emit(media.pcm(sound.samples, sound.rate, PCM_RATE))

        model.speak(speech, cancellation, on_sound)

    async def as_is(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece

    return await exchange.stream(request, service, work, as_is, MEDIA_TYPES["pcm"])


async def _events(request: Request, service: Service, speech: Speech) -> Response:
    """PCM in server-sent events."""
    model = _model(service)

    def work(cancellation: Cancellation, emit: Emit[dict[str, Any]]) -> None:
        def on_sound(sound: Sound) -> None:
            data = base64.b64encode(media.pcm(sound.samples, sound.rate, PCM_RATE)).decode()
            emit({"type": "speech.audio.delta", "audio": data})

        model.speak(speech, cancellation, on_sound)
        emit({"type": "speech.audio.done"})

    def encode(events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
        return exchange.events(events)

    return await exchange.stream(request, service, work, encode, "text/event-stream")
