"""/v1/audio/transcriptions and /v1/audio/translations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from llm_agent.api import exchange
from llm_agent.api.generate import GenerateBody, add_generate
from llm_agent.api.upload import Form, read_form
from llm_agent.errors import BadRequest
from llm_agent.loaders.faces import Hearing, HearModel, Reply, Segment, Transcript
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.service import Emit, Service

FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
TASKS = {"/v1/audio/transcriptions": False, "/v1/audio/translations": True}


def add_routes(app: FastAPI, service: Service) -> None:
    for path, translate in TASKS.items():
        app.add_api_route(path, _route(service, translate), methods=["POST"])

    async def generate(request: Request, body: GenerateBody) -> Reply:
        sound = body.file_bytes(service.limits)
        transcript = await _hear(request, service, sound, Hearing())
        return Reply(transcript.text, verbose(transcript))

    add_generate(app, service, generate)


def _route(service: Service, translate: bool) -> Any:
    async def route(request: Request) -> Response:
        form = await read_form(request, service.limits)
        sound, hearing = form.file("file"), _hearing(form, translate)
        form_of_answer = form.choice("response_format", FORMATS)
        if form.flag("stream"):
            return await _streamed(request, service, sound, hearing)
        transcript = await _hear(request, service, sound, hearing)
        return _answer(transcript, form_of_answer)

    return route


def _hearing(form: Form, translate: bool) -> Hearing:
    kinds = form.fields.get("timestamp_granularities[]", []) + form.fields.get(
        "timestamp_granularities", []
    )
    if any(kind not in ("word", "segment") for kind in kinds):
        raise BadRequest(
            "timestamp_granularities: word or segment", param="timestamp_granularities"
        )
    return Hearing(
        language=form.text("language") or None,
        translate=translate,
        words="word" in kinds,
        temperature=form.number("temperature", 0, 1) or 0.0,
    )


async def _hear(request: Request, service: Service, sound: bytes, hearing: Hearing) -> Transcript:
    model = cast(HearModel, service.loader)
    return await exchange.answer(
        request, service, lambda stop: model.transcribe(sound, hearing, stop, lambda _: None)
    )


async def _streamed(request: Request, service: Service, sound: bytes, hearing: Hearing) -> Response:
    model = cast(HearModel, service.loader)

    def work(cancellation: Cancellation, emit: Emit[dict[str, Any]]) -> None:
        def on_segment(segment: Segment) -> None:
            emit({"type": "transcript.text.delta", "delta": segment.text})

        transcript = model.transcribe(sound, hearing, cancellation, on_segment)
        emit({"type": "transcript.text.done", "text": transcript.text})

    def encode(events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
        return exchange.events(events)

    return await exchange.stream(request, service, work, encode, "text/event-stream")


def _answer(transcript: Transcript, form: str) -> Response:
    if form == "text":
        return PlainTextResponse(transcript.text + "\n")
    if form == "srt":
        return PlainTextResponse(subtitles(transcript.segments, ","))
    if form == "vtt":
        return PlainTextResponse("WEBVTT\n\n" + subtitles(transcript.segments, "."))
    if form == "verbose_json":
        return JSONResponse(verbose(transcript))
    return JSONResponse({"text": transcript.text})


def verbose(transcript: Transcript) -> dict[str, Any]:
    words = [word for segment in transcript.segments for word in segment.words]
    return {
        "task": "transcribe",
        "language": transcript.language,
        "duration": transcript.duration,
        "text": transcript.text,
        "segments": [
            {"id": i, "start": s.start, "end": s.end, "text": s.text}
            for i, s in enumerate(transcript.segments)
        ],
        "words": [{"word": word, "start": start, "end": end} for word, start, end in words],
    }


def subtitles(segments: list[Segment], point: str) -> str:
    """SubRip's form; WebVTT differs in the decimal point and takes the numbers as well."""
    blocks = [
        f"{number}\n{_clock(s.start, point)} --> {_clock(s.end, point)}\n{s.text.strip()}\n"
        for number, s in enumerate(segments, 1)
    ]
    return "\n".join(blocks)


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, rest = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{rest:03}"
