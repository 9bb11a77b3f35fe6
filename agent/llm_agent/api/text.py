"""/v1/chat/completions, /v1/completions, /api/generate."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from llm_agent.api import exchange
from llm_agent.api.text_schema import ChatBody, CompletionBody, GenerateBody
from llm_agent.loaders.text import Finish, TextModel, TextRequest
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.service import Emit, Service


@dataclass(frozen=True)
class Piece:
    """A piece of the answer to choice `index`; the last one of a choice has `finish`."""

    index: int
    text: str = ""
    finish: Finish | None = None


Write = Callable[[Cancellation, Emit[Piece]], None]


def add_routes(app: FastAPI, service: Service) -> None:
    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body = await exchange.read_body(request, ChatBody, service.limits.body_bytes)
        one = body.request(service.limits, _model(service).takes_images)
        asked = [one] * body.choices(service.limits)
        shape = _Shape("chatcmpl-", "chat.completion", service.name, body.wants_usage)
        return await _respond(request, service, asked, bool(body.stream), shape)

    @app.post("/v1/completions")
    async def completions(request: Request) -> Response:
        body = await exchange.read_body(request, CompletionBody, service.limits.body_bytes)
        copies = body.choices(service.limits)
        asked = [each for each in body.requests(service.limits) for _ in range(copies)]
        shape = _Shape("cmpl-", "text_completion", service.name, body.wants_usage)
        return await _respond(request, service, asked, bool(body.stream), shape)

    @app.post("/api/generate")
    async def generate(request: Request) -> Response:
        body = await exchange.read_body(request, GenerateBody, service.limits.body_bytes)
        work = _writer(service, [body.request(service.limits, _model(service).chats)])
        if body.stream:
            return await exchange.stream(
                request, service, work,
                lambda pieces: exchange.json_lines(_generate_lines(pieces, service.name)),
                "application/x-ndjson",
            )  # fmt: skip
        pieces = await exchange.answer(request, service, lambda c: _collect(work, c))
        return JSONResponse(_generate_answer(pieces, service.name))


def _model(service: Service) -> TextModel:
    return cast(TextModel, service.loader)


def _writer(service: Service, asked: list[TextRequest]) -> Write:
    """Answers the requests one after another, each as one choice."""
    model = _model(service)

    def write(cancellation: Cancellation, emit: Emit[Piece]) -> None:
        for index, one in enumerate(asked):
            finish = model.generate(one, cancellation, partial(_emit_text, emit, index))
            emit(Piece(index, finish=finish))

    return write


def _emit_text(emit: Emit[Piece], index: int, text: str) -> None:
    emit(Piece(index, text))


def _collect(work: Write, cancellation: Cancellation) -> list[Piece]:
    pieces: list[Piece] = []
    work(cancellation, pieces.append)
    return pieces


async def _respond(
    request: Request, service: Service, asked: list[TextRequest], streamed: bool, shape: _Shape
) -> Response:
    work = _writer(service, asked)
    if streamed:
        return await exchange.stream(
            request, service, work,
            lambda pieces: exchange.events(shape.chunks(pieces)), "text/event-stream",
        )  # fmt: skip
    pieces = await exchange.answer(request, service, lambda c: _collect(work, c))
    return JSONResponse(shape.whole(pieces))


@dataclass
class _Shape:
    """OpenAI's shapes of an answer, for chat and for plain completions."""

    prefix: str
    object: str
    model: str
    include_usage: bool

    def __post_init__(self) -> None:
        self.id = self.prefix + secrets.token_hex(12)
        self.created = int(time.time())

    @property
    def chat(self) -> bool:
        return self.object == "chat.completion"

    def _frame(self, choices: list[dict[str, Any]], chunk: bool) -> dict[str, Any]:
        kind = f"{self.object}.chunk" if chunk and self.chat else self.object
        return {
            "id": self.id, "object": kind, "created": self.created, "model": self.model,
            "choices": choices,
        }  # fmt: skip

    def whole(self, pieces: list[Piece]) -> dict[str, Any]:
        choices = []
        for index, (text, finish) in sorted(_texts(pieces).items()):
            said: dict[str, Any] = {"index": index, "finish_reason": finish.reason}
            if self.chat:
                said["message"] = {"role": "assistant", "content": text, "refusal": None}
            else:
                said["text"] = text
            choices.append({**said, "logprobs": None})
        return {**self._frame(choices, chunk=False), "usage": usage(pieces)}

    async def chunks(self, pieces: AsyncIterator[Piece]) -> AsyncIterator[dict[str, Any]]:
        finished: list[Piece] = []
        begun: set[int] = set()
        async for piece in pieces:
            if self.chat and piece.index not in begun:
                begun.add(piece.index)
                yield self._chunk(piece.index, {"role": "assistant", "content": ""}, None)
            if piece.finish is None:
                yield self._chunk(piece.index, {"content": piece.text}, None)
            else:
                finished.append(piece)
                yield self._chunk(piece.index, {}, piece.finish.reason)
        if self.include_usage:
            yield {**self._frame([], chunk=True), "usage": usage(finished)}

    def _chunk(self, index: int, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": index, "finish_reason": reason, "logprobs": None}
        if self.chat:
            choice["delta"] = delta
        else:
            choice["text"] = delta.get("content", "")
        return self._frame([choice], chunk=True)


def _texts(pieces: list[Piece]) -> dict[int, tuple[str, Finish]]:
    texts: dict[int, list[str]] = {}
    ends: dict[int, Finish] = {}
    for piece in pieces:
        texts.setdefault(piece.index, []).append(piece.text)
        if piece.finish is not None:
            ends[piece.index] = piece.finish
    return {index: ("".join(texts[index]), finish) for index, finish in ends.items()}


def usage(pieces: list[Piece]) -> dict[str, int]:
    ends = [piece.finish for piece in pieces if piece.finish is not None]
    prompt = sum(end.prompt_tokens for end in ends)
    completion = sum(end.completion_tokens for end in ends)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def generate_line(model: str, text: str, finish: Finish | None = None) -> dict[str, Any]:
    """One object of /api/generate: `text` and `response` say the same."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line: dict[str, Any] = {
        "model": model, "created_at": now, "text": text, "response": text,
        "done": finish is not None,
    }  # fmt: skip
    if finish is not None:
        line |= {
            "done_reason": finish.reason,
            "prompt_eval_count": finish.prompt_tokens,
            "eval_count": finish.completion_tokens,
        }
    return line


async def _generate_lines(
    pieces: AsyncIterator[Piece], model: str
) -> AsyncIterator[dict[str, Any]]:
    async for piece in pieces:
        yield generate_line(model, piece.text, piece.finish)


def _generate_answer(pieces: list[Piece], model: str) -> dict[str, Any]:
    ((text, finish),) = _texts(pieces).values()
    return generate_line(model, text, finish)
