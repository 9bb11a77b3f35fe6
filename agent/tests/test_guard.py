"""By hand a server listens on TCP: pages of other origins are kept away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llm_agent.api.guard import Guard


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def status(**headers: str) -> int:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": "/",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    asyncio.run(Guard(app, {"10.0.0.5"})(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000",
                                  "10.0.0.5:8000"])  # fmt: skip
def test_own_hosts(host: str) -> None:
    assert status(host=host) == 200
    assert status(host=host, origin=f"http://{host}") == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "", "127.0.0.1.evil:80",
                                  "localhost:80@evil"])  # fmt: skip
def test_foreign_hosts(host: str) -> None:
    assert status(host=host) == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost:8000",
                                    "http://localhost:9"])  # fmt: skip
def test_foreign_origins(origin: str) -> None:
    assert status(host="localhost:8000", origin=origin) == 403
