"""Guard: keeps pages of other origins away from a server that a person started by hand."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from llm_agent.api.errors import error_response
from llm_agent.errors import BadRequest

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


class Guard:
    """ASGI middleware for TCP: Host must be ours (a rebound name is not), Origin none or ours."""

    def __init__(self, app: ASGIApp, hosts: set[str]) -> None:
        self._app = app
        self._hosts = LOOPBACK | hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            wrong = self._fault(dict(scope["headers"]))
            if wrong is not None:
                await error_response(wrong)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _fault(self, headers: dict[bytes, bytes]) -> BadRequest | None:
        host = headers.get(b"host", b"").decode("latin-1")
        if _name(host) not in self._hosts:
            return BadRequest(
                f"this server does not answer for host {host[:100]!r}",
                status=421, code="host_refused", next_step="use 127.0.0.1, or start with --host",
            )  # fmt: skip
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") != f"http://{host}":
            return BadRequest("requests of other origins are refused", status=403,
                              code="origin_refused")  # fmt: skip
        return None


def _name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
