"""One request and its answer: bodies read within limits, work that ends when the client goes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from llm_agent.api.errors import as_agent_error, error_body
from llm_agent.errors import BadRequest, TooLarge
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.service import Emit, Service

log = logging.getLogger(__name__)
T = TypeVar("T")
M = TypeVar("M", bound="Body")
TYPE_NAMES = ("str", "bool", "int", "float", "Part")


class Body(BaseModel):
    """A JSON body: types are strict, fields nobody knows are ignored and logged."""

    model_config = ConfigDict(strict=True, extra="allow", protected_namespaces=())


async def read_bytes(request: Request, limit: int) -> bytes:
    """The whole body. Raises TooLarge before it has read more than the limit."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > limit:
        raise TooLarge(f"the body has {told} bytes, at most {limit} are taken")
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge(f"the body is larger than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


async def read_body(request: Request, model: type[M], limit: int) -> M:
    """The body as `model`. Raises BadRequest that names the field."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise BadRequest(
            f"the content type is {kind or 'missing'}, not application/json",
            status=415, code="unsupported_content_type",
        )  # fmt: skip
    data = await read_bytes(request, limit)
    try:
        body = model.model_validate_json(data)
    except ValidationError as error:
        raise _first_fault(error) from None
    if body.model_extra:
        names = ", ".join(sorted(body.model_extra)[:20])
        log.info("%s: ignored fields: %s", request.url.path, names[:500])
    return body


def _first_fault(error: ValidationError) -> BadRequest:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    if faults[0]["type"] == "json_invalid":
        return BadRequest(f"the body is not JSON: {faults[0]['msg']}", code="invalid_json")
    # Of a value that may be one of several things, the fault that lies deepest says most.
    field = faults[0]["loc"][:1]
    fault = max((f for f in faults if f["loc"][:1] == field), key=lambda f: len(_path(f["loc"])))
    param = ".".join(_path(fault["loc"]))
    return BadRequest(f"{param}: {fault['msg']}" if param else str(fault["msg"]), param=param)


def _path(location: tuple[int | str, ...]) -> list[str]:
    """The fields of the path, without the names of the types that were tried."""
    return [
        str(part) for part in location
        if isinstance(part, int) or (part.isidentifier() and part not in TYPE_NAMES)
    ]  # fmt: skip


async def answer(request: Request, service: Service, work: Callable[[Cancellation], T]) -> T:
    """Runs `work` in a model thread; the client's leaving sets its cancellation."""
    cancellation = Cancellation()
    watch = asyncio.create_task(_watch(request.receive, cancellation))
    try:
        result = await service.run(cancellation, lambda: work(cancellation))
        cancellation.check()
        return result
    except Exception as error:
        raise as_agent_error(error) from error
    finally:
        watch.cancel()
        cancellation.cancel()


async def stream(
    request: Request,
    service: Service,
    work: Callable[[Cancellation, Emit[T]], None],
    encode: Callable[[AsyncIterator[T]], AsyncIterator[bytes]],
    media_type: str,
) -> Response:
    """Answers with what `work` emits. What fails before the first item is an ordinary error."""
    cancellation = Cancellation()
    watch = asyncio.create_task(_watch(request.receive, cancellation))

    def emitting(emit: Emit[T]) -> None:
        work(cancellation, emit)

    items = service.stream(cancellation, emitting)
    try:
        first = [await items.__anext__()]
    except StopAsyncIteration:
        first = []
    except BaseException as error:
        watch.cancel()
        cancellation.cancel()
        raise _typed(error) from error
    return _Streamed(encode(_chain(first, items)), cancellation, watch, media_type)


def _typed(error: BaseException) -> BaseException:
    return as_agent_error(error) if isinstance(error, Exception) else error


async def _chain(first: list[T], rest: AsyncIterator[T]) -> AsyncIterator[T]:
    for item in first:
        yield item
    async for item in rest:
        yield item


async def _watch(receive: Receive, cancellation: Cancellation) -> None:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            cancellation.cancel()
            return


class _Streamed(Response):
    """A body that comes piece by piece and stops the work when nobody reads it any more."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        cancellation: Cancellation,
        watch: asyncio.Task[None],
        media_type: str,
    ) -> None:
        super().__init__(media_type=media_type, headers={"cache-control": "no-store"})
        del self.headers["content-length"]
        self._pieces = pieces
        self._cancellation = cancellation
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            async for piece in self._pieces:
                if self._cancellation.cancelled and self._watch.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._watch.cancel()
            self._cancellation.cancel()


async def events(objects: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Server-sent events, [DONE] last. An error is an event, and then there is no [DONE]."""
    try:
        async for value in objects:
            yield b"data: " + encode_json(value) + b"\n\n"
    except Exception as error:
        yield b"data: " + encode_json(error_body(as_agent_error(error))) + b"\n\n"
    else:
        yield b"data: [DONE]\n\n"


async def json_lines(objects: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """One JSON object a line; an error is the last line."""
    try:
        async for value in objects:
            yield encode_json(value) + b"\n"
    except Exception as error:
        yield encode_json(error_body(as_agent_error(error))) + b"\n"


def encode_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", errors="replace"
    )
