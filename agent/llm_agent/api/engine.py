"""The front of an engine that runs behind us: its routes pass through, /api/generate is added."""

from __future__ import annotations

import http.client
import json
from collections.abc import AsyncIterator
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from llm_agent.api import exchange
from llm_agent.api.text import generate_line
from llm_agent.api.text_schema import GenerateBody
from llm_agent.engines import http_client
from llm_agent.engines.process import EngineProcess
from llm_agent.errors import AgentError, BadRequest, UpstreamError
from llm_agent.loaders.text import Finish
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.service import Emit, Service

CHUNK = 65536


def add_routes(app: FastAPI, service: Service) -> None:
    routes = [route.split(" ", 1) for route in service.folder.launch.routes]
    own = {route.path for route in app.routes if hasattr(route, "path")} | {"/api/generate"}
    for method, path in routes:
        if path not in own:
            app.add_api_route(path, _passing(service, path), methods=[method])
    if any(path == "/v1/chat/completions" for _, path in routes):
        _add_generate(app, service)


def _passing(service: Service, path: str) -> Any:
    async def passing(request: Request) -> Response:
        body = await exchange.read_bytes(request, service.limits.body_bytes)
        kind = request.headers.get("content-type", "application/json")
        head: list[Any] = []

        def work(cancellation: Cancellation, emit: Emit[bytes]) -> None:
            _ask(service, request.method, path, body, kind, cancellation, head, emit)

        async def as_is(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            async for piece in pieces:
                yield piece

        response = await exchange.stream(request, service, work, as_is, "application/json")
        status, content_type = head
        response.status_code = status
        response.headers["content-type"] = content_type
        return response

    return passing


def _ask(
    service: Service, method: str, path: str, body: bytes, content_type: str,
    cancellation: Cancellation, head: list[Any], emit: Emit[bytes],
) -> None:  # fmt: skip
    """Sends one request to the engine; a cancellation closes the connection, which cancels it."""
    connection = http_client.connect(cast(EngineProcess, service.loader).endpoint)
    try:
        connection.connect()
        sock = connection.sock
        cancellation.on_cancel(lambda: _shut(sock))
        connection.request(method, path, body or None, {"Content-Type": content_type})
        response = connection.getresponse()
        head[:] = [response.status, response.headers.get("content-type", "application/json")]
        while piece := response.read1(CHUNK):
            emit(piece)
    except (OSError, http.client.HTTPException) as error:
        cancellation.check()
        raise UpstreamError(f"the engine broke off: {error}", next_step="see the log") from None
    finally:
        connection.close()


def _shut(sock: Any) -> None:
    try:
        sock.shutdown(2)
    except OSError:
        return  # it had ended by itself


def _add_generate(app: FastAPI, service: Service) -> None:
    @app.post("/api/generate")
    async def generate(request: Request) -> Response:
        body = await exchange.read_body(request, GenerateBody, service.limits.body_bytes)
        path, asked = _translated(body, service)

        def work(cancellation: Cancellation, emit: Emit[dict[str, Any]]) -> None:
            head: list[Any] = []
            lines = _Lines(service.name, head, emit)
            _ask(service, "POST", path, json.dumps(asked).encode(), "application/json",
                 cancellation, head, lines.feed)  # fmt: skip
            lines.end()

        if body.stream:
            return await exchange.stream(
                request, service, work, exchange.json_lines, "application/x-ndjson"
            )

        def collect(cancellation: Cancellation) -> dict[str, Any]:
            lines: list[dict[str, Any]] = []
            work(cancellation, lines.append)
            text = "".join(line["text"] for line in lines)
            return {**lines[-1], "text": text, "response": text}

        return JSONResponse(await exchange.answer(request, service, collect))


def _translated(body: GenerateBody, service: Service) -> tuple[str, dict[str, Any]]:
    """The engine's route and body for a request of /api/generate."""
    chat = "chat" in (service.folder.profile.get("capabilities") or ["chat"])
    request = body.request(service.limits, chat)
    asked: dict[str, Any] = {
        "model": service.name, "stream": True, "stream_options": {"include_usage": True},
        "stop": list(request.stop),
    }  # fmt: skip
    for name in ("temperature", "top_p", "top_k", "min_p", "seed"):
        if (value := getattr(request.sampling, name)) is not None:
            asked[name] = value
    if request.max_tokens is not None:
        asked["max_tokens"] = request.max_tokens
    if request.messages is None:
        return "/v1/completions", {**asked, "prompt": request.prompt}
    return "/v1/chat/completions", {**asked, "messages": request.messages}


class _Lines:
    """Turns the engine's server-sent events into lines of /api/generate."""

    def __init__(self, name: str, head: list[Any], emit: Emit[dict[str, Any]]) -> None:
        self._name = name
        self._head = head
        self._emit = emit
        self._rest = b""
        self._reason = "stop"
        self._usage: dict[str, Any] = {}
        self._done = False

    def feed(self, data: bytes) -> None:
        self._rest += data
        if self._head[0] != 200:
            return
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            if line.startswith(b"data: [DONE]"):
                self._done = True
            elif line.startswith(b"data:"):
                self._take(json.loads(line[5:]))

    def _take(self, event: dict[str, Any]) -> None:
        if "error" in event:
            raise UpstreamError(str(event["error"].get("message", event["error"])))
        self._usage = event.get("usage") or self._usage
        for choice in event.get("choices", []):
            self._reason = choice.get("finish_reason") or self._reason
            text = choice.get("text") or choice.get("delta", {}).get("content") or ""
            if text:
                self._emit(generate_line(self._name, text))

    def end(self) -> None:
        if self._head[0] != 200:
            raise _refused(self._head[0], self._rest)
        if not self._done:
            raise UpstreamError("the engine broke off in the middle of its answer")
        usage = self._usage
        finish = Finish(
            self._reason, usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
        )
        self._emit(generate_line(self._name, "", finish))


def _refused(status: int, body: bytes) -> AgentError:
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = body[:300].decode(errors="replace")
    if status < 500:
        return BadRequest(message, status=status)
    return UpstreamError(message)
