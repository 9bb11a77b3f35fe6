"""A model of words instead of weights, and a server around it."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from llm_agent.api.app import create_app
from llm_agent.api.guard import Guard
from llm_agent.engines import http_client
from llm_agent.errors import BadRequest
from llm_agent.loaders.base import Loader
from llm_agent.loaders.text import Finish, TextRequest
from llm_agent.runtime.cancellation import Cancellation
from llm_agent.runtime.limits import Limits
from llm_agent.runtime.listener import bind_unix
from llm_agent.runtime.model_folder import Launch, ModelFolder
from llm_agent.runtime.readiness import Readiness
from llm_agent.runtime.server import ModelServer
from llm_agent.runtime.service import Service

AGENT = Path(__file__).resolve().parent.parent
HAS_TORCH = importlib.util.find_spec("torch") is not None
needs_torch = [pytest.mark.torch, pytest.mark.skipif(not HAS_TORCH, reason="torch is missing")]
LIMIT = 180.0  # seconds that a test waits for what must happen at once


class FakeLoader:
    """Loads at once unless the test closes a gate."""

    def __init__(self) -> None:
        self.may_load = threading.Event()
        self.may_load.set()
        self.fault: Exception | None = None

    def load(self, tell: Callable[[str], None]) -> None:
        tell("reading weights")
        assert self.may_load.wait(LIMIT)
        if self.fault is not None:
            raise self.fault

    def warm_up(self) -> None:
        return None

    def facts(self) -> dict[str, Any]:
        return {"chat_template": True}

    def close(self) -> None:
        return None


class FakeText(FakeLoader):
    """Says its prompt's words one by one; with a gate, one word for each `step`."""

    chats = True
    takes_images = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[TextRequest] = []
        self.begun = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.steps: threading.Semaphore | None = None  # None: as fast as it can
        self.words_said = 0

    def generate(
        self, request: TextRequest, cancellation: Cancellation, on_text: Callable[[str], None]
    ) -> Finish:
        self.asked.append(request)
        self.begun.release()
        if self.steps is not None:
            cancellation.on_cancel(self.steps.release)
        try:
            return self._say(request, cancellation, on_text)
        finally:
            self.ended.release()

    def _say(
        self, request: TextRequest, cancellation: Cancellation, on_text: Callable[[str], None]
    ) -> Finish:
        if request.messages is not None:
            words = str(request.messages[-1]["content"]).split(" ")
        else:
            words = str(request.prompt).split(" ")
        if words == ["refuse"]:
            raise BadRequest("the fake refuses", code="context_length_exceeded")
        said = words[: request.max_tokens]
        for word in said:
            if self.steps is not None:
                assert self.steps.acquire(timeout=LIMIT)
            cancellation.check()
            if word == "crash":
                raise RuntimeError("the fake broke")
            on_text(word + " ")
            self.words_said += 1
        return Finish("stop" if len(said) == len(words) else "length", len(words), len(said))


class RunningServer:
    def __init__(self, server: ModelServer, endpoint: str, events: int) -> None:
        self.endpoint = endpoint
        self.exit_code: int | None = None
        self._server = server
        self._events = os.fdopen(events, "rb")
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.exit_code = self._server.run()

    def next_event(self) -> dict[str, Any]:
        line = self._events.readline()
        assert line, "the readiness pipe was closed"
        event: dict[str, Any] = json.loads(line)
        return event

    def wait_ready(self) -> None:
        while (event := self.next_event())["event"] != "ready":
            assert event["event"] in ("listening", "loading"), event

    def at_end_of_events(self) -> bool:
        return self._events.readline() == b""

    def stop(self) -> int | None:
        self._server.stop()
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()
        self._events.close()
        return self.exit_code

    def get(self, path: str) -> tuple[int, Any]:
        return http_client.call(self.endpoint, "GET", path, timeout=LIMIT)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        return http_client.call(self.endpoint, "POST", path, body, timeout=LIMIT)

    def open(
        self, path: str, body: Any, content_type: str = "application/json"
    ) -> http.client.HTTPConnection:
        """A connection with the request sent; the test reads the answer."""
        connection = http_client.connect(self.endpoint, LIMIT)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", path, data, {"Content-Type": content_type})
        return connection

    def raw(self, path: str, body: bytes, content_type: str = "application/json") -> Any:
        connection = self.open(path, body, content_type)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer

    def events_of(self, path: str, body: Any) -> list[Any]:
        """The data of each server-sent event; [DONE] as a string."""
        connection = self.open(path, body)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        events = list(sse(response))
        connection.close()
        return events


def sse(response: http.client.HTTPResponse) -> Iterator[Any]:
    for line in response:
        if line.startswith(b"data: "):
            data = line[6:].strip()
            yield "[DONE]" if data == b"[DONE]" else json.loads(data)


def fake_folder(kind: str = "llm", **launch: Any) -> ModelFolder:
    described = Launch(**{"engine": "fake", "kind": kind, "name": "org/fake", **launch})
    return ModelFolder(Path("/nonexistent"), described, {"profile": {"architecture": "Fake"}})


def serving(
    loader: object, face: str, kind: str, slots: int, limits: Limits, path: Path, ui: bool
) -> RunningServer:
    """On the Unix socket `path`; with the page on TCP, as by hand."""
    ready, told = os.pipe()
    readiness = Readiness(told)
    service = Service(fake_folder(kind), face, slots, limits, readiness)

    def make() -> Loader:
        return loader  # type: ignore[return-value]

    app: ASGIApp = create_app(service, ui)
    sock, endpoint = bind_unix(path), f"unix://{path}"
    if ui:
        sock = socket.create_server(("127.0.0.1", 0))
        app, endpoint = Guard(app, set()), f"http://127.0.0.1:{sock.getsockname()[1]}"
    server = ModelServer(app, sock, service, lambda: service.load(make), readiness)
    return RunningServer(server, endpoint, ready)
